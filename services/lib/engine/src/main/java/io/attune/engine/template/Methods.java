package io.attune.engine.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The methods of Python's strings, lists and dicts that templates use. None changes its object. */
final class Methods {
  private Methods() {}

  /** Null where the value has no such method. */
  static Callable find(Object value, String name) {
    if (value instanceof String text) {
      return string(text, name);
    }
    if (value instanceof Map<?, ?> map) {
      return map(map, name);
    }
    if (value instanceof List<?> list) {
      return switch (name) {
        case "index" -> (run, args, named) -> index(run, list, args.get(0));
        case "count" ->
            (run, args, named) ->
                list.stream().filter(item -> Values.equal(run, item, args.get(0))).count();
        default -> null;
      };
    }
    return null;
  }

  private static Callable map(Map<?, ?> map, String name) {
    return switch (name) {
      case "items" -> (run, args, named) -> entries(run, map);
      case "keys" -> (run, args, named) -> Values.items(run, map);
      case "values" ->
          (run, args, named) -> {
            run.make(map.size() * Run.OBJECT);
            return new ArrayList<>(map.values());
          };
      case "get" ->
          (run, args, named) ->
              map.containsKey(Values.key(args.get(0)))
                  ? map.get(args.get(0))
                  : args.size() > 1 ? args.get(1) : null;
      default -> null;
    };
  }

  static List<Object> entries(Run run, Map<?, ?> map) {
    run.make(map.size() * 4 * Run.OBJECT);
    List<Object> entries = new ArrayList<>();
    map.forEach(
        (key, value) -> {
          List<Object> pair = new ArrayList<>();
          pair.add(key);
          pair.add(value);
          entries.add(pair);
        });
    return entries;
  }

  private static Callable string(String text, String name) {
    Callable method = stringMethod(text, name);
    return method == null
        ? null
        : (run, args, named) -> {
          run.step(text.length());
          if (!named.isEmpty()) {
            throw new TemplateException("passes named arguments to '" + name + "'");
          }
          Object result = method.call(run, args, named);
          return result instanceof String made ? run.made(made) : result;
        };
  }

  private static Callable stringMethod(String text, String name) {
    return switch (name) {
      case "strip" -> (run, args, named) -> strip(run, text, args, true, true);
      case "lstrip" -> (run, args, named) -> strip(run, text, args, true, false);
      case "rstrip" -> (run, args, named) -> strip(run, text, args, false, true);
      case "startswith" -> (run, args, named) -> any(run, args.get(0), text::startsWith);
      case "endswith" -> (run, args, named) -> any(run, args.get(0), text::endsWith);
      case "upper" -> (run, args, named) -> text.toUpperCase(Locale.ROOT);
      case "lower" -> (run, args, named) -> text.toLowerCase(Locale.ROOT);
      case "title" -> (run, args, named) -> title(text);
      case "capitalize" -> (run, args, named) -> capitalize(text);
      case "split" -> (run, args, named) -> split(run, text, args);
      case "splitlines" -> (run, args, named) -> lines(run, text);
      case "join" -> (run, args, named) -> join(run, text, Values.items(run, args.get(0)));
      case "replace" -> (run, args, named) -> replace(run, text, args);
      case "find" -> (run, args, named) -> (long) Operators.find(run, text, string(args, 0), 0);
      case "count" -> (run, args, named) -> count(run, text, string(args, 0));
      case "isdigit" ->
          (run, args, named) -> !text.isEmpty() && text.chars().allMatch(Character::isDigit);
      case "removeprefix" ->
          (run, args, named) ->
              text.startsWith(string(args, 0)) ? text.substring(string(args, 0).length()) : text;
      case "removesuffix" ->
          (run, args, named) ->
              text.endsWith(string(args, 0))
                  ? text.substring(0, text.length() - string(args, 0).length())
                  : text;
      default -> null;
    };
  }

  private static String string(List<Object> args, int index) {
    if (index < args.size() && args.get(index) instanceof String text) {
      return text;
    }
    throw new TemplateException("calls a string method without a string as argument");
  }

  private static Object any(Run run, Object prefixes, java.util.function.Predicate<String> test) {
    if (prefixes instanceof List<?> list) {
      run.step(100L * list.size());
      return list.stream().anyMatch(p -> test.test(Values.string(run, p)));
    }
    return test.test(string(Collections.singletonList(prefixes), 0));
  }

  static String strip(Run run, String text, List<Object> args, boolean left, boolean right) {
    String chars = args.isEmpty() || args.get(0) == null ? null : string(args, 0);
    run.step(chars == null ? text.length() : (long) text.length() * Math.max(1, chars.length()));
    int start = 0;
    int end = text.length();
    while (left && start < end && strips(text.charAt(start), chars)) {
      start++;
    }
    while (right && end > start && strips(text.charAt(end - 1), chars)) {
      end--;
    }
    return text.substring(start, end);
  }

  private static boolean strips(char c, String chars) {
    return chars == null
        ? Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085'
        : chars.indexOf(c) >= 0;
  }

  private static List<Object> split(Run run, String text, List<Object> args) {
    List<Object> parts = new ArrayList<>();
    long limit = args.size() > 1 ? Values.toLong(args.get(1)) : -1;
    if (args.isEmpty() || args.get(0) == null) {
      if (limit >= 0) {
        throw new TemplateException("splits at white space with a limit");
      }
      int start = 0;
      for (int i = 0; i <= text.length(); i++) {
        if (i == text.length() || Character.isWhitespace(text.charAt(i))) {
          if (i > start) {
            add(run, parts, text.substring(start, i));
          }
          start = i + 1;
        }
      }
      return parts;
    }
    String separator = separator(string(args, 0));
    int start = 0;
    for (int at = Operators.find(run, text, separator, 0);
        at >= 0;
        at = Operators.find(run, text, separator, start)) {
      if (limit >= 0 && parts.size() >= limit) {
        break;
      }
      add(run, parts, text.substring(start, at));
      start = at + separator.length();
    }
    add(run, parts, text.substring(start));
    return parts;
  }

  private static String separator(String text) {
    if (text.isEmpty()) {
      throw new TemplateException("splits at an empty separator");
    }
    return text;
  }

  private static List<Object> lines(Run run, String text) {
    List<Object> lines = new ArrayList<>();
    text.lines().forEach(line -> add(run, lines, line));
    return lines;
  }

  private static void add(Run run, List<Object> parts, String part) {
    run.make(Run.OBJECT + part.length());
    parts.add(part);
  }

  private static long count(Run run, String text, String part) {
    separator(part);
    long count = 0;
    for (int at = Operators.find(run, text, part, 0);
        at >= 0;
        at = Operators.find(run, text, part, at + part.length())) {
      count++;
    }
    return count;
  }

  static String join(Run run, String separator, List<?> items) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < items.size(); i++) {
      String item = Values.string(run, items.get(i));
      run.make(item.length() + (long) separator.length());
      out.append(i == 0 ? "" : separator).append(item);
    }
    return out.toString();
  }

  static String replace(Run run, String text, List<Object> args) {
    String from = string(args, 0);
    String to = string(args, 1);
    if (args.size() > 2) {
      throw new TemplateException("replaces with a limit");
    }
    if (from.isEmpty()) {
      throw new TemplateException("replaces an empty string");
    }
    long growth = count(run, text, from) * to.length();
    if (growth > Run.MAX_OUTPUT_CHARS) {
      throw new TemplateException("replaces a string by one that is too long");
    }
    run.make(text.length() + growth);
    return text.replace(from, to);
  }

  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean start = true;
    for (char c : text.toCharArray()) {
      out.append(start ? Character.toTitleCase(c) : Character.toLowerCase(c));
      start = !Character.isLetter(c);
    }
    return out.toString();
  }

  static String capitalize(String text) {
    return text.isEmpty()
        ? text
        : text.substring(0, 1).toUpperCase(Locale.ROOT)
            + text.substring(1).toLowerCase(Locale.ROOT);
  }

  private static long index(Run run, List<?> list, Object item) {
    for (int i = 0; i < list.size(); i++) {
      if (Values.equal(run, list.get(i), item)) {
        return i;
      }
    }
    throw new TemplateException("asks for the index of an item that is not in the list");
  }
}
