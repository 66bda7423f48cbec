package io.attune.engine.template;

import java.util.HashMap;
import java.util.Map;

/** Names visible at a place; a loop or macro body has its own, an {@code if} does not. */
final class Scope {
  private final Scope parent;
  private final Run run;
  private final Map<String, Object> names = new HashMap<>();

  Scope(Scope parent, Run run) {
    this.parent = parent;
    this.run = run;
  }

  Scope child() {
    return new Scope(this, run);
  }

  Run run() {
    return run;
  }

  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.parent) {
      if (scope.names.containsKey(name)) {
        return scope.names.get(name);
      }
    }
    return new Undefined(name);
  }

  void set(String name, Object value) {
    names.put(name, value);
  }
}
