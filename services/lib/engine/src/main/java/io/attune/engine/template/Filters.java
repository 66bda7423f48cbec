package io.attune.engine.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What may follow {@code |}. */
final class Filters {
  private static final Set<String> NAMES =
      Set.of(
          "trim",
          "length",
          "count",
          "upper",
          "lower",
          "title",
          "capitalize",
          "tojson",
          "join",
          "first",
          "last",
          "default",
          "d",
          "replace",
          "list",
          "string",
          "int",
          "float",
          "abs",
          "map",
          "select",
          "reject",
          "selectattr",
          "rejectattr",
          "items",
          "reverse",
          "unique",
          "indent",
          "safe",
          "max",
          "min",
          "sum",
          "dictsort");

  private Filters() {}

  /** Refuses an unknown filter when the template is parsed. */
  static void check(String name) {
    if (!NAMES.contains(name)) {
      throw new TemplateException("filter '" + name + "' is not supported");
    }
  }

  static Object apply(
      Run run, String name, Object value, List<Object> args, Map<String, Object> named) {
    run.step(1);
    return switch (name) {
      case "trim" -> run.made(Methods.strip(run, text(run, value), args, true, true));
      case "length", "count" -> length(run, value);
      case "upper" -> run.made(text(run, value).toUpperCase(Locale.ROOT));
      case "lower" -> run.made(text(run, value).toLowerCase(Locale.ROOT));
      case "title" -> run.made(Methods.title(text(run, value)));
      case "capitalize" -> run.made(Methods.capitalize(text(run, value)));
      case "tojson" -> Json.write(run, value, argument(args, named, 99, "indent", null));
      case "join" ->
          Methods.join(run, text(run, argument(args, named, 0, "d", "")), items(run, value, named));
      case "first" -> edge(run, value, true);
      case "last" -> edge(run, value, false);
      case "default", "d" -> orDefault(value, args, named);
      case "replace" -> Methods.replace(run, text(run, value), args);
      case "list" -> new ArrayList<Object>(Values.items(run, value));
      case "string", "safe" -> Values.string(run, value);
      case "int" -> toInt(value, argument(args, named, 0, "default", 0L));
      case "float" -> value instanceof String s ? Double.valueOf(s) : Values.toDouble(value);
      case "abs" ->
          value instanceof Double d
              ? (Object) Math.abs(d)
              : (Object) Math.abs(Values.toLong(value));
      case "map" -> map(run, value, args, named);
      case "select" -> filter(run, value, args, true);
      case "reject" -> filter(run, value, args, false);
      case "selectattr" -> filterByAttribute(run, value, args, true);
      case "rejectattr" -> filterByAttribute(run, value, args, false);
      case "items" -> value instanceof Undefined ? List.of() : Methods.entries(run, map(value));
      case "dictsort" -> {
        List<Object> entries = Methods.entries(run, map(value));
        entries.sort((a, b) -> Operators.order(((List<?>) a).get(0), ((List<?>) b).get(0)));
        yield entries;
      }
      case "reverse" -> Values.slice(run, value, null, null, -1L);
      case "unique" -> unique(run, value);
      case "indent" -> indent(run, text(run, value), args, named);
      case "max" -> largest(Values.items(run, value), 1);
      case "min" -> largest(Values.items(run, value), -1);
      case "sum" -> {
        Object sum = 0L;
        for (Object item : Values.items(run, value)) {
          sum = Operators.apply(run, "+", sum, item);
        }
        yield sum;
      }
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static Object argument(
      List<Object> args, Map<String, Object> named, int index, String name, Object otherwise) {
    return named.containsKey(name)
        ? named.get(name)
        : index < args.size() ? args.get(index) : otherwise;
  }

  private static String text(Run run, Object value) {
    return Values.string(run, value);
  }

  private static List<?> items(Run run, Object value, Map<String, Object> named) {
    Object attribute = named.get("attribute");
    return attribute == null
        ? Values.items(run, value)
        : Values.items(run, value).stream().map(item -> Values.item(run, item, attribute)).toList();
  }

  private static Map<?, ?> map(Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw new TemplateException("takes the items of " + Values.describe(value));
  }

  private static Object length(Run run, Object value) {
    run.step(value instanceof String s ? s.length() : 1);
    if (value instanceof Map<?, ?> map) {
      return (long) map.size();
    }
    return value instanceof String s
        ? (long) s.codePointCount(0, s.length())
        : (long) Values.items(run, value).size();
  }

  private static Object edge(Run run, Object value, boolean first) {
    if (value instanceof String || value instanceof List<?>) {
      Object item = Values.item(run, value, first ? 0L : -1L);
      return item instanceof Undefined ? new Undefined(first ? "first item" : "last item") : item;
    }
    List<?> items = Values.items(run, value);
    return items.isEmpty()
        ? new Undefined(first ? "first item" : "last item")
        : items.get(first ? 0 : items.size() - 1);
  }

  /** Null of no items; with a sign of -1 the smallest. */
  private static Object largest(List<?> items, int sign) {
    Object best = null;
    for (int i = 0; i < items.size(); i++) {
      if (i == 0 || sign * Operators.order(items.get(i), best) > 0) {
        best = items.get(i);
      }
    }
    return best;
  }

  private static Object orDefault(Object value, List<Object> args, Map<String, Object> named) {
    boolean alsoFalse = Values.truth(argument(args, named, 1, "boolean", false));
    boolean missing = value instanceof Undefined || (alsoFalse && !Values.truth(value));
    return missing ? argument(args, named, 0, "default_value", "") : value;
  }

  private static Object toInt(Object value, Object otherwise) {
    if (value instanceof String s) {
      try {
        return Long.valueOf(s.strip());
      } catch (NumberFormatException e) {
        return otherwise;
      }
    }
    return value instanceof Double d ? (Object) d.longValue() : (Object) Values.toLong(value);
  }

  private static Object map(Run run, Object value, List<Object> args, Map<String, Object> named) {
    List<Object> out = new ArrayList<>();
    if (named.containsKey("attribute")) {
      for (Object item : Values.items(run, value)) {
        Object found = Values.item(run, item, named.get("attribute"));
        out.add(
            found instanceof Undefined && named.containsKey("default")
                ? named.get("default")
                : found);
      }
      return out;
    }
    String filter = text(run, args.get(0));
    check(filter);
    for (Object item : Values.items(run, value)) {
      out.add(apply(run, filter, item, args.subList(1, args.size()), Map.of()));
    }
    return out;
  }

  private static Object filter(Run run, Object value, List<Object> args, boolean keep) {
    List<Object> out = new ArrayList<>();
    for (Object item : Values.items(run, value)) {
      boolean matches =
          args.isEmpty()
              ? Values.truth(item)
              : Tests.test(run, text(run, args.get(0)), item, args.subList(1, args.size()));
      if (matches == keep) {
        out.add(item);
      }
    }
    return out;
  }

  private static Object filterByAttribute(Run run, Object value, List<Object> args, boolean keep) {
    List<Object> out = new ArrayList<>();
    for (Object item : Values.items(run, value)) {
      Object attribute = Values.item(run, item, args.get(0));
      boolean matches =
          args.size() == 1
              ? Values.truth(attribute)
              : Tests.test(run, text(run, args.get(1)), attribute, args.subList(2, args.size()));
      if (matches == keep) {
        out.add(item);
      }
    }
    return out;
  }

  private static Object unique(Run run, Object value) {
    List<Object> out = new ArrayList<>();
    for (Object item : Values.items(run, value)) {
      if (out.stream().noneMatch(other -> Values.equal(run, other, item))) {
        out.add(item);
      }
    }
    return out;
  }

  private static Object indent(Run run, String text, List<Object> args, Map<String, Object> named) {
    Object width = argument(args, named, 0, "width", 4L);
    String blanks =
        width instanceof String s ? s : " ".repeat(Math.max(0, Math.min(64, Values.toInt(width))));
    boolean first = Values.truth(argument(args, named, 1, "first", false));
    StringBuilder out = new StringBuilder();
    run.make(text.chars().filter(c -> c == '\n').count() * (Run.OBJECT + blanks.length()));
    run.make(text.length() + (long) blanks.length());
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      out.append(i == 0 ? "" : "\n");
      out.append((i == 0 ? first : !lines[i].isEmpty()) ? blanks : "").append(lines[i]);
    }
    return out.toString();
  }
}
