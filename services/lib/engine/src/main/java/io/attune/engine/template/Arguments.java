package io.attune.engine.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Arguments of a call, filter or test. */
record Arguments(List<Expression> positional, Map<String, Expression> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  List<Object> values(Scope scope) {
    List<Object> values = new ArrayList<>();
    positional.forEach(argument -> values.add(argument.value(scope)));
    return values;
  }

  Map<String, Object> namedValues(Scope scope) {
    Map<String, Object> values = new LinkedHashMap<>();
    named.forEach((name, argument) -> values.put(name, argument.value(scope)));
    return values;
  }
}
