package io.attune.engine.template;

import java.util.List;
import java.util.Map;

/** {@code tojson} as transformers defines it: Python's {@code json.dumps}, not escaped to ASCII. */
final class Json {
  private static final int MAX_DEPTH = 64;

  private Json() {}

  /**
   * @param indent blanks a level, or null for one line
   */
  static String write(Run run, Object value, Object indent) {
    StringBuilder out = new StringBuilder();
    append(run, out, value, indent == null ? -1 : Math.min(16, Values.toInt(indent)), 0);
    return out.toString();
  }

  private static void append(Run run, StringBuilder out, Object value, int indent, int depth) {
    run.make(value instanceof String s ? s.length() : Run.OBJECT);
    if (depth > MAX_DEPTH) {
      throw new TemplateException("writes JSON nested more than " + MAX_DEPTH + " deep");
    }
    if (value == null || value instanceof Boolean || Values.number(value)) {
      out.append(value);
    } else if (value instanceof String s) {
      quote(run, out, s);
    } else if (value instanceof List<?> list) {
      out.append('[');
      for (int i = 0; i < list.size(); i++) {
        separate(run, out, i, indent, depth + 1);
        append(run, out, list.get(i), indent, depth + 1);
      }
      close(run, out, list.isEmpty(), indent, depth, ']');
    } else if (value instanceof Map<?, ?> map) {
      out.append('{');
      int i = 0;
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        separate(run, out, i++, indent, depth + 1);
        quote(run, out, run.made(Values.string(run, entry.getKey())));
        out.append(": ");
        append(run, out, entry.getValue(), indent, depth + 1);
      }
      close(run, out, map.isEmpty(), indent, depth, '}');
    } else {
      throw new TemplateException("writes " + Values.describe(value) + " as JSON");
    }
  }

  private static void separate(Run run, StringBuilder out, int index, int indent, int depth) {
    if (index > 0) {
      out.append(indent < 0 ? ", " : ",");
    }
    newLine(run, out, indent, depth);
  }

  private static void close(
      Run run, StringBuilder out, boolean empty, int indent, int depth, char bracket) {
    if (!empty) {
      newLine(run, out, indent, depth);
    }
    out.append(bracket);
  }

  private static void newLine(Run run, StringBuilder out, int indent, int depth) {
    if (indent >= 0) {
      run.make((long) indent * depth);
      out.append('\n').append(" ".repeat(indent * depth));
    }
  }

  private static void quote(Run run, StringBuilder out, String text) {
    out.append('"');
    for (char c : text.toCharArray()) {
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < 0x20) {
            run.make(6);
            out.append("\\u00").append(c < 0x10 ? "0" : "1").append(Character.forDigit(c & 15, 16));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
