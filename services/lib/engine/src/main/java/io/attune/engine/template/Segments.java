package io.attune.engine.template;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a template into text, output expressions and statements, with Jinja's white-space rules:
 * {@code trim_blocks} drops the newline after a block, {@code lstrip_blocks} the blanks before one
 * that begins its line, {@code -} all white space, {@code +} switches the two off.
 */
final class Segments {
  enum Kind {
    TEXT,
    OUTPUT,
    STATEMENT
  }

  /**
   * @param text the text itself, or what stands between the delimiters
   * @param line counted from 1, for messages
   */
  record Segment(Kind kind, String text, int line) {}

  private final String source;
  private final List<Segment> segments = new ArrayList<>();
  private int position;
  private int counted;
  private int lines = 1;
  private boolean lineStarting = true;
  private boolean stripNext;

  private Segments(String source) {
    this.source = source;
  }

  static List<Segment> of(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    // Jinja drops one newline at the end (keep_trailing_newline is off).
    if (source.endsWith("\n")) {
      source = source.substring(0, source.length() - 1);
    }
    Segments segments = new Segments(source);
    segments.split();
    return segments.segments;
  }

  private void split() {
    while (position < source.length()) {
      int open = nextOpen(position);
      if (open < 0) {
        text(source.substring(position), false, false);
        return;
      }
      char kind = source.charAt(open + 1);
      char sign = open + 2 < source.length() ? source.charAt(open + 2) : ' ';
      boolean lstrip = kind != '{' && sign != '+';
      text(source.substring(position, open), sign == '-', lstrip);
      tag(open, kind, sign);
    }
  }

  private int nextOpen(int from) {
    for (int i = source.indexOf('{', from); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private void text(String raw, boolean stripEnd, boolean lstrip) {
    String text = stripNext ? raw.stripLeading() : raw;
    stripNext = false;
    if (stripEnd) {
      text = text.stripTrailing();
    } else if (lstrip) {
      int lineStart = text.lastIndexOf('\n') + 1;
      if ((lineStart > 0 || lineStarting) && text.substring(lineStart).isBlank()) {
        text = text.substring(0, lineStart);
      }
    }
    if (!text.isEmpty()) {
      segments.add(new Segment(Kind.TEXT, text, line(position)));
    }
  }

  private void tag(int open, char kind, char sign) {
    int start = open + (sign == '-' || sign == '+' ? 3 : 2);
    String close = kind == '{' ? "}}" : kind == '%' ? "%}" : "#}";
    int end = kind == '#' ? source.indexOf(close, start) : closing(start, close);
    if (end < 0) {
      throw new TemplateException(
          "line " + line(open) + ": '{" + kind + "' without its '" + close + "'");
    }
    char last = end > start ? source.charAt(end - 1) : ' ';
    boolean signed = last == '-' || (last == '+' && kind != '{');
    String inner = source.substring(start, signed ? end - 1 : end);
    position = end + 2;
    stripNext = last == '-' && signed;
    lineStarting = false;
    if (kind != '{' && !signed && position < source.length() && source.charAt(position) == '\n') {
      position++;
      lineStarting = true;
    }
    if (kind == '%' && inner.strip().equals("raw")) {
      raw(open);
    } else if (kind != '#') {
      segments.add(new Segment(kind == '{' ? Kind.OUTPUT : Kind.STATEMENT, inner, line(open)));
    }
  }

  private void raw(int open) {
    java.util.regex.Matcher end =
        java.util.regex.Pattern.compile("\\{%(-?)\\s*endraw\\s*(-?)%\\}\n?").matcher(source);
    if (!end.find(position)) {
      throw new TemplateException("line " + line(open) + ": 'raw' without 'endraw'");
    }
    text(source.substring(position, end.start()), !end.group(1).isEmpty(), true);
    position = end.end();
    stripNext = !end.group(2).isEmpty();
  }

  /** The closing delimiter, not counting what stands in string literals. */
  private int closing(int start, String close) {
    int nested = 0;
    for (int i = start; i < source.length(); i++) {
      char c = source.charAt(i);
      if (c == '"' || c == '\'') {
        i = Tokens.endOfString(source, i);
        if (i < 0) {
          return -1;
        }
      } else if (nested == 0 && source.startsWith(close, i)) {
        return i;
      } else if (c == '{' || c == '[' || c == '(') {
        nested++;
      } else if (c == '}' || c == ']' || c == ')') {
        nested--;
      }
    }
    return -1;
  }

  /** Asked for in ascending order, so that lines are counted once. */
  private int line(int offset) {
    while (counted < Math.min(offset, source.length())) {
      lines += source.charAt(counted++) == '\n' ? 1 : 0;
    }
    return lines;
  }
}
