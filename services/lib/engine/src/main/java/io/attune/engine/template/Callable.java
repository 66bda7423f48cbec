package io.attune.engine.template;

import java.util.List;
import java.util.Map;

/** A function, method or macro that a template may call. */
@FunctionalInterface
interface Callable {
  Object call(Run run, List<Object> args, Map<String, Object> named);
}
