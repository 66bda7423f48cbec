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
    run.step(value instanceof String s ? s.length() : 1);
    if (depth > MAX_DEPTH) {
      throw new TemplateException("writes JSON nested more than " + MAX_DEPTH + " deep");
    }
    if (value == null || value instanceof Boolean || Values.number(value)) {
      out.append(value);
    } else if (value instanceof String s) {
      quote(out, s);
    } else if (value instanceof List<?> list) {
      out.append('[');
      for (int i = 0; i < list.size(); i++) {
        separate(out, i, indent, depth + 1);
        append(run, out, list.get(i), indent, depth + 1);
      }
      close(out, list.isEmpty(), indent, depth, ']');
    } else if (value instanceof Map<?, ?> map) {
      out.append('{');
      int i = 0;
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        separate(out, i++, indent, depth + 1);
        quote(out, Values.string(entry.getKey()));
        out.append(": ");
        append(run, out, entry.getValue(), indent, depth + 1);
      }
      close(out, map.isEmpty(), indent, depth, '}');
    } else {
      throw new TemplateException("writes " + Values.describe(value) + " as JSON");
    }
  }

  private static void separate(StringBuilder out, int index, int indent, int depth) {
    if (index > 0) {
      out.append(indent < 0 ? ", " : ",");
    }
    newLine(out, indent, depth);
  }

  private static void close(StringBuilder out, boolean empty, int indent, int depth, char bracket) {
    if (!empty) {
      newLine(out, indent, depth);
    }
    out.append(bracket);
  }

  private static void newLine(StringBuilder out, int indent, int depth) {
    if (indent >= 0) {
      out.append('\n').append(" ".repeat(indent * depth));
    }
  }

  private static void quote(StringBuilder out, String text) {
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
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
