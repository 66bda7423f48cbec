package io.attune.engine.template;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** What may follow {@code is}. */
final class Tests {
  private static final Set<String> NAMES =
      Set.of(
          "defined",
          "undefined",
          "none",
          "string",
          "number",
          "integer",
          "float",
          "boolean",
          "true",
          "false",
          "mapping",
          "sequence",
          "iterable",
          "callable",
          "odd",
          "even",
          "divisibleby",
          "equalto",
          "eq",
          "ne",
          "in",
          "sameas",
          "gt",
          "ge",
          "lt",
          "le");

  private Tests() {}

  /** Refuses an unknown test when the template is parsed. */
  static void check(String name) {
    if (!NAMES.contains(name)) {
      throw new TemplateException("test '" + name + "' is not supported");
    }
  }

  static boolean test(Run run, String name, Object value, List<Object> args) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == null;
      case "string" -> value instanceof String;
      case "number" -> Values.number(value);
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "boolean" -> value instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "mapping" -> value instanceof Map;
      case "sequence", "iterable" ->
          value instanceof List
              || value instanceof String
              || value instanceof Map
              || value instanceof Undefined;
      case "callable" -> value instanceof Callable;
      case "odd" -> Math.floorMod(Values.toLong(value), 2L) == 1;
      case "even" -> Math.floorMod(Values.toLong(value), 2L) == 0;
      case "divisibleby" -> Operators.apply(run, "%", Values.toLong(value), args.get(0)).equals(0L);
      case "equalto", "eq" -> Values.equal(run, value, args.get(0));
      case "ne" -> !Values.equal(run, value, args.get(0));
      case "in" -> Operators.contains(run, args.get(0), value);
      case "sameas" -> value == args.get(0) || Values.equal(run, value, args.get(0));
      case "gt" -> Operators.order(value, args.get(0)) > 0;
      case "ge" -> Operators.order(value, args.get(0)) >= 0;
      case "lt" -> Operators.order(value, args.get(0)) < 0;
      case "le" -> Operators.order(value, args.get(0)) <= 0;
      default -> throw new TemplateException("test '" + name + "' is not supported");
    };
  }
}
