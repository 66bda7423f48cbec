package io.attune.engine.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Python's rules for values: truth, text, equality, indexing. */
final class Values {
  private static final int MAX_REPR_DEPTH = 64;

  private Values() {}

  /** A {@code namespace(...)}: the only value that a template may change. */
  record Namespace(Map<String, Object> attributes) {}

  static boolean truth(Object value) {
    if (value instanceof Boolean b) {
      return b;
    }
    if (value instanceof Long n) {
      return n != 0;
    }
    if (value instanceof Double d) {
      return d != 0;
    }
    if (value instanceof String s) {
      return !s.isEmpty();
    }
    if (value instanceof List<?> list) {
      return !list.isEmpty();
    }
    if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    return value != null && !(value instanceof Undefined);
  }

  /** Python's {@code str}. */
  static String string(Run run, Object value) {
    return value instanceof String s
        ? s
        : value instanceof Undefined ? "" : run.made(repr(run, value, 0));
  }

  private static String repr(Run run, Object value, int depth) {
    if (depth > MAX_REPR_DEPTH) {
      throw new TemplateException("prints a value nested more than " + MAX_REPR_DEPTH + " deep");
    }
    if (value == null) {
      return "None";
    }
    if (value instanceof Boolean b) {
      return b ? "True" : "False";
    }
    if (value instanceof String s) {
      return quoted(s);
    }
    if (value instanceof Double || value instanceof Long) {
      return value.toString();
    }
    StringBuilder out = new StringBuilder();
    if (value instanceof List<?> list) {
      for (Object item : list) {
        out.append(out.isEmpty() ? "" : ", ").append(part(run, item, depth));
      }
      return "[" + out + "]";
    }
    if (value instanceof Map<?, ?> map) {
      for (Map.Entry<?, ?> e : map.entrySet()) {
        out.append(out.isEmpty() ? "" : ", ")
            .append(part(run, e.getKey(), depth))
            .append(": ")
            .append(part(run, e.getValue(), depth));
      }
      return "{" + out + "}";
    }
    throw new TemplateException("prints a function or namespace");
  }

  /** Lists may share their items, so a small value can print as an endless text. */
  private static String part(Run run, Object value, int depth) {
    return run.made(repr(run, value, depth + 1));
  }

  private static String quoted(String s) {
    char quote = s.indexOf('\'') >= 0 && s.indexOf('"') < 0 ? '"' : '\'';
    String escaped =
        s.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t");
    return quote + (quote == '\'' ? escaped.replace("'", "\\'") : escaped) + quote;
  }

  static boolean equal(Run run, Object a, Object b) {
    run.step(a instanceof String x && b instanceof String y ? Math.min(x.length(), y.length()) : 1);
    if (number(a) && number(b)) {
      return a instanceof Double || b instanceof Double
          ? toDouble(a) == toDouble(b)
          : toLong(a) == toLong(b);
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      if (x.size() != y.size()) {
        return false;
      }
      for (int i = 0; i < x.size(); i++) {
        if (!equal(run, x.get(i), y.get(i))) {
          return false;
        }
      }
      return true;
    }
    if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
      if (x.size() != y.size()) {
        return false;
      }
      for (Map.Entry<?, ?> entry : x.entrySet()) {
        if (!y.containsKey(entry.getKey())
            || !equal(run, entry.getValue(), y.get(entry.getKey()))) {
          return false;
        }
      }
      return true;
    }
    if (a instanceof Namespace || a instanceof Callable) {
      return a == b;
    }
    return a instanceof Undefined ? b instanceof Undefined : Objects.equals(a, b);
  }

  /** Whether Python counts with it: its booleans are numbers. */
  static boolean number(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  static long toLong(Object value) {
    if (value instanceof Boolean b) {
      return b ? 1 : 0;
    }
    if (value instanceof Long n) {
      return n;
    }
    throw new TemplateException("needs a whole number instead of " + describe(value));
  }

  static int toInt(Object value) {
    return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, toLong(value)));
  }

  static double toDouble(Object value) {
    return value instanceof Double d ? d : toLong(value);
  }

  static String describe(Object value) {
    return value == null
        ? "none"
        : value instanceof Undefined u
            ? "'" + u.name() + "', which is undefined"
            : "a " + value.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
  }

  /** The items that a loop or {@code list} sees; a map gives its keys, a string its characters. */
  static List<?> items(Run run, Object value) {
    if (value instanceof List<?> list) {
      run.make(list.size() * Run.OBJECT / 4);
      return list;
    }
    if (value instanceof Map<?, ?> map) {
      run.make(map.size() * Run.OBJECT / 4);
      return new ArrayList<>(map.keySet());
    }
    if (value instanceof Undefined) {
      return List.of();
    }
    if (value instanceof String s) {
      run.make(s.length() * Run.OBJECT);
      return s.codePoints().mapToObj(Character::toString).toList();
    }
    throw new TemplateException("loops over " + describe(value));
  }

  /** A key of a map; like Python, none that is made of others. */
  static Object key(Object value) {
    if (value == null || value instanceof Undefined || value instanceof String || number(value)) {
      return value;
    }
    throw new TemplateException("uses " + describe(value) + " as a key");
  }

  /** {@code value.name}: a method first, then a key, as in Jinja. */
  static Object attribute(Run run, Object value, String name) {
    run.step(1);
    if (value instanceof Undefined u) {
      throw new TemplateException("'" + u.name() + "' is undefined, so it has no '" + name + "'");
    }
    if (value instanceof Namespace namespace) {
      return namespace.attributes().getOrDefault(name, new Undefined(name));
    }
    Callable method = Methods.find(value, name);
    return method != null ? method : item(run, value, name);
  }

  /** {@code value[key]}; what is not there is undefined. */
  static Object item(Run run, Object value, Object key) {
    run.step(1);
    if (value instanceof Undefined u) {
      throw new TemplateException("'" + u.name() + "' is undefined, so it has no items");
    }
    if (value instanceof Map<?, ?> map) {
      return map.containsKey(key(key)) ? map.get(key) : new Undefined(string(run, key));
    }
    if (key instanceof Long index && value instanceof List<?> list) {
      long at = index < 0 ? index + list.size() : index;
      return at >= 0 && at < list.size() ? list.get((int) at) : new Undefined("item " + index);
    }
    if (key instanceof Long index && value instanceof String text) {
      run.step(text.length());
      long size = text.codePointCount(0, text.length());
      long at = index < 0 ? index + size : index;
      return at >= 0 && at < size
          ? Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) at)))
          : new Undefined("item " + index);
    }
    return new Undefined(string(run, key));
  }

  /** {@code value[from:to:step]} of a list or string, with Python's rules for what is left out. */
  static Object slice(Run run, Object value, Object from, Object to, Object step) {
    List<?> items = items(run, value);
    int size = items.size();
    int by = step == null ? 1 : toInt(step);
    if (by == 0) {
      throw new TemplateException("a slice's step is 0");
    }
    int first = by > 0 ? 0 : -1;
    int last = by > 0 ? size : size - 1;
    int start = from == null ? (by > 0 ? first : last) : bound(toInt(from), size, first, last);
    int end = to == null ? (by > 0 ? last : first) : bound(toInt(to), size, first, last);
    List<Object> out = new ArrayList<>();
    for (long i = start; by > 0 ? i < end : i > end; i += by) {
      out.add(items.get((int) i));
    }
    if (!(value instanceof String)) {
      return out;
    }
    StringBuilder text = new StringBuilder();
    out.forEach(text::append);
    return text.toString();
  }

  private static int bound(int index, int size, int lowest, int highest) {
    int at = index < 0 ? index + size : index;
    return Math.max(lowest, Math.min(highest, at));
  }

  /** Copies what the caller passes into values that a template may see; refuses anything else. */
  static Object of(Object value) {
    if (value instanceof Integer i) {
      return i.longValue();
    }
    if (value instanceof Map<?, ?> map) {
      Map<Object, Object> copy = new LinkedHashMap<>();
      map.forEach((k, v) -> copy.put(of(k), of(v)));
      return Collections.unmodifiableMap(copy);
    }
    if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>();
      list.forEach(item -> copy.add(of(item)));
      return Collections.unmodifiableList(copy);
    }
    if (value == null || value instanceof String || number(value)) {
      return value;
    }
    throw new TemplateException("cannot be given " + value.getClass().getName());
  }
}
