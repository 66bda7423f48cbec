package io.attune.engine.template;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code for TARGETS in ITEMS if CONDITION}.
 *
 * @param condition null where there is none
 */
record Loop(
    List<String> targets,
    Expression items,
    Expression condition,
    List<Statement> body,
    List<Statement> otherwise)
    implements Statement {

  /** {@code break} or {@code continue}, on its way to the loop that it belongs to. */
  static final class Jump extends RuntimeException {
    private static final long serialVersionUID = 1L;
    static final Jump BREAK = new Jump();
    static final Jump CONTINUE = new Jump();

    private Jump() {
      super(null, null, false, false);
    }
  }

  @Override
  public void run(Scope outer) {
    List<Object> chosen = new ArrayList<>();
    for (Object item : Values.items(outer.run(), items.value(outer))) {
      Scope scope = outer.child();
      bind(scope, item);
      if (condition == null || Values.truth(condition.value(scope))) {
        chosen.add(item);
      }
    }
    if (chosen.isEmpty()) {
      Statement.runAll(otherwise, outer);
      return;
    }
    for (int i = 0; i < chosen.size(); i++) {
      Scope scope = outer.child();
      bind(scope, chosen.get(i));
      scope.set("loop", variables(chosen, i));
      try {
        Statement.runAll(body, scope);
      } catch (Jump jump) {
        if (jump == Jump.BREAK) {
          return;
        }
      }
    }
  }

  private void bind(Scope scope, Object item) {
    if (targets.size() == 1) {
      scope.set(targets.get(0), item);
      return;
    }
    List<?> parts = Values.items(scope.run(), item);
    if (parts.size() != targets.size()) {
      throw new TemplateException(
          "unpacks " + parts.size() + " values into " + String.join(", ", targets));
    }
    for (int i = 0; i < parts.size(); i++) {
      scope.set(targets.get(i), parts.get(i));
    }
  }

  private static Map<String, Object> variables(List<Object> items, int index) {
    int size = items.size();
    Map<String, Object> loop = new HashMap<>();
    loop.put("index", index + 1L);
    loop.put("index0", (long) index);
    loop.put("revindex", (long) size - index);
    loop.put("revindex0", size - index - 1L);
    loop.put("first", index == 0);
    loop.put("last", index == size - 1);
    loop.put("length", (long) size);
    loop.put("previtem", index > 0 ? items.get(index - 1) : new Undefined("loop.previtem"));
    loop.put("nextitem", index < size - 1 ? items.get(index + 1) : new Undefined("loop.nextitem"));
    loop.put("cycle", (Callable) (run, args, named) -> args.get(index % Math.max(1, args.size())));
    return loop;
  }
}
