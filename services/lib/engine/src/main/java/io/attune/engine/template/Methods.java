package io.attune.engine.template;

import java.util.ArrayList;
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
        case "index" -> (run, args, named) -> index(list, args.get(0));
        case "count" ->
            (run, args, named) ->
                list.stream().filter(item -> Values.equal(item, args.get(0))).count();
        default -> null;
      };
    }
    return null;
  }

  private static Callable map(Map<?, ?> map, String name) {
    return switch (name) {
      case "items" -> (run, args, named) -> entries(map);
      case "keys" -> (run, args, named) -> new ArrayList<>(map.keySet());
      case "values" -> (run, args, named) -> new ArrayList<>(map.values());
      case "get" ->
          (run, args, named) ->
              map.containsKey(args.get(0))
                  ? map.get(args.get(0))
                  : args.size() > 1 ? args.get(1) : null;
      default -> null;
    };
  }

  static List<Object> entries(Map<?, ?> map) {
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
          return method.call(run, args, named);
        };
  }

  private static Callable stringMethod(String text, String name) {
    return switch (name) {
      case "strip" -> (run, args, named) -> strip(text, args, true, true);
      case "lstrip" -> (run, args, named) -> strip(text, args, true, false);
      case "rstrip" -> (run, args, named) -> strip(text, args, false, true);
      case "startswith" -> (run, args, named) -> any(args.get(0), text::startsWith);
      case "endswith" -> (run, args, named) -> any(args.get(0), text::endsWith);
      case "upper" -> (run, args, named) -> text.toUpperCase(Locale.ROOT);
      case "lower" -> (run, args, named) -> text.toLowerCase(Locale.ROOT);
      case "title" -> (run, args, named) -> title(text);
      case "capitalize" -> (run, args, named) -> capitalize(text);
      case "split" -> (run, args, named) -> split(text, args);
      case "splitlines" -> (run, args, named) -> text.isEmpty() ? List.of() : text.lines().toList();
      case "join" -> (run, args, named) -> join(run, text, Values.items(args.get(0)));
      case "replace" -> (run, args, named) -> replace(run, text, args);
      case "find" -> (run, args, named) -> (long) text.indexOf(string(args, 0));
      case "count" -> (run, args, named) -> (long) split(text, List.of(string(args, 0))).size() - 1;
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

  private static Object any(Object prefixes, java.util.function.Predicate<String> test) {
    if (prefixes instanceof List<?> list) {
      return list.stream().anyMatch(p -> test.test(Values.string(p)));
    }
    return test.test(string(List.of(prefixes), 0));
  }

  static String strip(String text, List<Object> args, boolean left, boolean right) {
    String chars = args.isEmpty() || args.get(0) == null ? null : string(args, 0);
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

  private static List<Object> split(String text, List<Object> args) {
    List<Object> parts = new ArrayList<>();
    long limit = args.size() > 1 ? Values.toLong(args.get(1)) : -1;
    if (args.isEmpty() || args.get(0) == null) {
      if (limit >= 0) {
        throw new TemplateException("splits at white space with a limit");
      }
      for (String word : text.strip().split("\\s+", -1)) {
        if (!word.isEmpty()) {
          parts.add(word);
        }
      }
      return parts;
    }
    String separator = string(args, 0);
    if (separator.isEmpty()) {
      throw new TemplateException("splits at an empty separator");
    }
    int start = 0;
    for (int at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, start)) {
      if (limit >= 0 && parts.size() >= limit) {
        break;
      }
      parts.add(text.substring(start, at));
      start = at + separator.length();
    }
    parts.add(text.substring(start));
    return parts;
  }

  static String join(Run run, String separator, List<?> items) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < items.size(); i++) {
      String item = Values.string(items.get(i));
      run.step(item.length() + (long) separator.length());
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
    long growth = (long) (split(text, List.of(from)).size() - 1) * to.length();
    if (growth > Run.MAX_OUTPUT_CHARS) {
      throw new TemplateException("replaces a string by one that is too long");
    }
    run.step(text.length() + growth);
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

  private static long index(List<?> list, Object item) {
    for (int i = 0; i < list.size(); i++) {
      if (Values.equal(list.get(i), item)) {
        return i;
      }
    }
    throw new TemplateException("asks for the index of an item that is not in the list");
  }
}
