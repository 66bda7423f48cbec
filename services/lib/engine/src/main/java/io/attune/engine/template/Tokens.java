package io.attune.engine.template;

import java.util.ArrayList;
import java.util.List;

/** The tokens of one expression or statement, read from left to right. */
final class Tokens {
  enum Kind {
    NAME,
    STRING,
    NUMBER,
    OPERATOR,
    END
  }

  /**
   * @param text a name or operator as written, a string without quotes and escapes
   */
  record Token(Kind kind, String text) {
    boolean is(String operatorOrName) {
      return (kind == Kind.OPERATOR || kind == Kind.NAME) && text.equals(operatorOrName);
    }
  }

  private static final List<String> OPERATORS =
      List.of(
          "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "(", ")", "[",
          "]", "{", "}", ",", ":", ".", "|", "=");

  private final List<Token> tokens = new ArrayList<>();
  private int next;

  Tokens(String source) {
    int i = 0;
    while (i < source.length()) {
      char c = source.charAt(i);
      if (Character.isWhitespace(c)) {
        i++;
      } else if (c == '"' || c == '\'') {
        int end = endOfString(source, i);
        if (end < 0) {
          throw new TemplateException("string without its closing quote: " + excerpt(source));
        }
        tokens.add(new Token(Kind.STRING, unescape(source.substring(i + 1, end))));
        i = end + 1;
      } else if (Character.isDigit(c)) {
        i = number(source, i);
      } else if (Character.isLetter(c) || c == '_') {
        int end = i;
        while (end < source.length()
            && (Character.isLetterOrDigit(source.charAt(end)) || source.charAt(end) == '_')) {
          end++;
        }
        tokens.add(new Token(Kind.NAME, source.substring(i, end)));
        i = end;
      } else {
        String operator = operator(source, i);
        tokens.add(new Token(Kind.OPERATOR, operator));
        i += operator.length();
      }
    }
    tokens.add(new Token(Kind.END, "the end"));
  }

  /** Index of the closing quote, or -1. */
  static int endOfString(String source, int open) {
    for (int i = open + 1; i < source.length(); i++) {
      if (source.charAt(i) == '\\') {
        i++;
      } else if (source.charAt(i) == source.charAt(open)) {
        return i;
      }
    }
    return -1;
  }

  private int number(String source, int start) {
    int i = start;
    while (i < source.length() && Character.isDigit(source.charAt(i))) {
      i++;
    }
    if (i + 1 < source.length()
        && source.charAt(i) == '.'
        && Character.isDigit(source.charAt(i + 1))) {
      i++;
      while (i < source.length() && Character.isDigit(source.charAt(i))) {
        i++;
      }
    }
    if (i - start > 18) {
      throw new TemplateException("number too long: " + source.substring(start, i));
    }
    tokens.add(new Token(Kind.NUMBER, source.substring(start, i)));
    return i;
  }

  private static String operator(String source, int at) {
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, at)) {
        return operator;
      }
    }
    throw new TemplateException("unexpected '" + source.charAt(at) + "' in: " + excerpt(source));
  }

  /** What a message quotes. */
  private static String excerpt(String source) {
    String text = source.strip();
    return text.length() > 80 ? text.substring(0, 80) + "..." : text;
  }

  private static String unescape(String raw) {
    if (raw.indexOf('\\') < 0) {
      return raw;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < raw.length(); i++) {
      char c = raw.charAt(i);
      if (c != '\\' || i + 1 == raw.length()) {
        out.append(c);
        continue;
      }
      char escaped = raw.charAt(++i);
      switch (escaped) {
        case 'n' -> out.append('\n');
        case 't' -> out.append('\t');
        case 'r' -> out.append('\r');
        case '\\', '\'', '"' -> out.append(escaped);
        case 'u', 'x' -> {
          int digits = escaped == 'u' ? 4 : 2;
          if (i + digits >= raw.length()) {
            throw new TemplateException("incomplete escape in string: " + excerpt(raw));
          }
          try {
            out.append((char) Integer.parseInt(raw.substring(i + 1, i + 1 + digits), 16));
          } catch (NumberFormatException e) {
            throw new TemplateException("bad escape in string: " + excerpt(raw));
          }
          i += digits;
        }
        default -> out.append('\\').append(escaped);
      }
    }
    return out.toString();
  }

  Token peek() {
    return tokens.get(next);
  }

  Token peek(int ahead) {
    return tokens.get(Math.max(0, Math.min(next + ahead, tokens.size() - 1)));
  }

  Token take() {
    Token token = tokens.get(next);
    if (token.kind() != Kind.END) {
      next++;
    }
    return token;
  }

  boolean takeIf(String operatorOrName) {
    if (peek().is(operatorOrName)) {
      next++;
      return true;
    }
    return false;
  }

  void expect(String operatorOrName) {
    if (!takeIf(operatorOrName)) {
      throw new TemplateException(
          "'" + operatorOrName + "' expected before '" + peek().text() + "'");
    }
  }

  String name() {
    Token token = take();
    if (token.kind() != Kind.NAME) {
      throw new TemplateException("a name expected instead of '" + token.text() + "'");
    }
    return token.text();
  }

  void end() {
    if (peek().kind() != Kind.END) {
      throw new TemplateException("unexpected '" + peek().text() + "'");
    }
  }
}
