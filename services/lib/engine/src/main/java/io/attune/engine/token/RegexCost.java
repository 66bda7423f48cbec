package io.attune.engine.token;

import java.util.Locale;

/**
 * How many steps a regular expression of {@code tokenizer.json} can take, found by reading it.
 *
 * <p>The native library backtracks, and ends the process when a match takes more than ten million
 * steps. So an expression is accepted only where one attempt to match takes at most {@code constant
 * + linear * n} steps on n characters: no loop over something that matches in several ways, no two
 * loops whose ends both have to be tried. The expressions of all published families are of that
 * kind. What this does not know (back references, conditions, callouts) is refused.
 *
 * @param linear steps of an attempt for each character of the text
 * @param consumes whether a match has at least one character
 */
record RegexCost(long linear, boolean consumes) {
  private static final int MAX_LENGTH = 4096;
  private static final int MAX_DEPTH = 50;
  private static final long MAX_FACTOR = 1000;

  /** A bounded repetition of more than this counts as unbounded. */
  private static final int MANY = 64;

  /**
   * @throws IllegalArgumentException that says why the expression is refused
   */
  static RegexCost of(String pattern) {
    if (pattern.length() > MAX_LENGTH) {
      throw new IllegalArgumentException("has more than " + MAX_LENGTH + " characters");
    }
    Parser parser = new Parser(pattern);
    Node node = parser.alternatives(0);
    if (parser.at < pattern.length()) {
      throw new IllegalArgumentException("has a ')' too many");
    }
    if (node.fail.excessive) {
      throw new IllegalArgumentException("tries too many ways to match");
    }
    return new RegexCost(node.fail.linear, node.consumes);
  }

  /**
   * {@code constant + linear * n}.
   *
   * @param excessive whether it is in truth more than that, or than is ever needed
   */
  private record Steps(long constant, long linear, boolean excessive) {
    static final Steps ZERO = new Steps(0, 0);
    static final Steps ONE = new Steps(1, 0);
    static final Steps LENGTH = new Steps(0, 1);

    Steps(long constant, long linear) {
      this(
          Math.min(constant, MAX_FACTOR),
          Math.min(linear, MAX_FACTOR),
          constant > MAX_FACTOR || linear > MAX_FACTOR);
    }

    Steps plus(Steps other) {
      Steps sum = new Steps(constant + other.constant, linear + other.linear);
      return excessive || other.excessive ? sum.tooMany() : sum;
    }

    Steps times(Steps other) {
      if (equals(ZERO) || other.equals(ZERO)) {
        return ZERO;
      }
      Steps product =
          new Steps(constant * other.constant, constant * other.linear + linear * other.constant);
      boolean quadratic = linear > 0 && other.linear > 0;
      return quadratic || excessive || other.excessive ? product.tooMany() : product;
    }

    private Steps tooMany() {
      return new Steps(constant, linear, true);
    }
  }

  /**
   * A part of an expression.
   *
   * @param ways how often it can match from one place, if what follows fails each time
   * @param fail steps until it is known not to match
   * @param canFail false for what also matches nothing
   * @param consumes whether each match takes at least a character
   * @param loops whether a loop without bound is in it
   */
  private record Node(Steps ways, Steps fail, boolean canFail, boolean consumes, boolean loops) {
    static final Node EMPTY = new Node(Steps.ONE, Steps.ZERO, false, false, false);
    static final Node CHARACTER = new Node(Steps.ONE, Steps.ONE, true, true, false);
    static final Node ANCHOR = new Node(Steps.ONE, Steps.ONE, true, false, false);

    Node then(Node next) {
      Steps cost = next.canFail ? fail.plus(ways.times(next.fail)) : fail;
      return new Node(
          ways.times(next.ways),
          cost,
          canFail || next.canFail,
          consumes || next.consumes,
          loops || next.loops);
    }

    Node or(Node other) {
      return new Node(
          ways.plus(other.ways),
          fail.plus(other.fail),
          canFail && other.canFail,
          consumes && other.consumes,
          loops || other.loops);
    }

    /** Tried once: its other ways are forgotten. */
    Node atomic() {
      return new Node(Steps.ONE, fail, canFail, consumes, loops);
    }

    Node lookAround() {
      return new Node(Steps.ONE, fail.plus(loops ? Steps.LENGTH : Steps.ONE), true, false, loops);
    }

    Node optional() {
      return new Node(ways.plus(Steps.ONE), Steps.ZERO, false, false, loops);
    }

    /** As {@link #optional}, where what stands before should count as if this could fail. */
    Node perhaps() {
      return new Node(ways.plus(Steps.ONE), fail, canFail, false, loops);
    }

    /**
     * @param max -1 for no bound
     */
    Node repeated(int min, int max) {
      if (max == 0) {
        return EMPTY;
      }
      if (min == 0 && max == 1) {
        return optional();
      }
      boolean unbounded = max < 0 || max > MANY;
      if (ways.equals(Steps.ONE) && consumes) {
        return new Node(
            unbounded ? Steps.LENGTH : new Steps(max - min + 1L, 0),
            fail.times(new Steps(min, 0)),
            canFail && min > 0,
            min > 0,
            loops || unbounded);
      }
      if (unbounded) {
        throw new IllegalArgumentException(
            "repeats without bound what matches in several ways, or nothing");
      }
      Node result = EMPTY;
      for (int i = 0; i < max; i++) {
        result = result.then(i < min ? this : optional());
      }
      return result;
    }
  }

  /** Oniguruma's syntax, as far as tokenizers use it. */
  private static final class Parser {
    private final String text;
    private int at;

    Parser(String text) {
      this.text = text;
    }

    private boolean more() {
      return at < text.length();
    }

    private boolean takeIf(String part) {
      boolean found = text.startsWith(part, at);
      at += found ? part.length() : 0;
      return found;
    }

    private char take() {
      if (!more()) {
        throw new IllegalArgumentException("ends too early");
      }
      return text.charAt(at++);
    }

    /** Up to the end or a closing bracket, which is left. */
    Node alternatives(int depth) {
      if (depth > MAX_DEPTH) {
        throw new IllegalArgumentException("nests more than " + MAX_DEPTH + " deep");
      }
      Node result = sequence(depth);
      while (takeIf("|")) {
        result = result.or(sequence(depth));
      }
      return result;
    }

    private Node sequence(int depth) {
      Node result = Node.EMPTY;
      while (more() && text.charAt(at) != '|' && text.charAt(at) != ')') {
        result = result.then(quantified(atom(depth)));
      }
      return result;
    }

    private Node quantified(Node atom) {
      Node result = atom;
      while (more()) {
        int[] bounds = bounds();
        if (bounds == null) {
          return result;
        }
        boolean interval = text.charAt(at - 1) == '}';
        boolean possessive = !interval && takeIf("+");
        boolean lazy = !possessive && takeIf("?");
        Node repeated = result.repeated(bounds[0], bounds[1]);
        // Oniguruma reads a{2}? as (?:a{2})?.
        result =
            possessive
                ? repeated.atomic()
                : lazy && interval && bounds[0] == bounds[1] ? repeated.perhaps() : repeated;
      }
      return result;
    }

    /** Null where no quantifier stands. */
    private int[] bounds() {
      if (takeIf("*")) {
        return new int[] {0, -1};
      }
      if (takeIf("+")) {
        return new int[] {1, -1};
      }
      if (takeIf("?")) {
        return new int[] {0, 1};
      }
      int close = text.indexOf('}', at);
      if (text.charAt(at) != '{' || close < 0) {
        return null;
      }
      String inner = text.substring(at + 1, close);
      if (!inner.matches("[0-9]{1,9}(,[0-9]{0,9})?|,[0-9]{1,9}")) {
        return null;
      }
      at = close + 1;
      int comma = inner.indexOf(',');
      String low = comma < 0 ? inner : inner.substring(0, comma);
      String high = comma < 0 ? inner : inner.substring(comma + 1);
      int min = low.isEmpty() ? 0 : Integer.parseInt(low);
      int max = high.isEmpty() ? -1 : Integer.parseInt(high);
      if (min > MAX_FACTOR || max > MAX_FACTOR || (max >= 0 && max < min)) {
        throw new IllegalArgumentException("repeats {" + inner + "} times");
      }
      return new int[] {min, max};
    }

    private Node atom(int depth) {
      char c = take();
      return switch (c) {
        case '(' -> group(depth + 1);
        case '[' -> {
          characterClass(depth + 1);
          yield Node.CHARACTER;
        }
        case '\\' -> escape();
        case '^', '$' -> Node.ANCHOR;
        default -> Node.CHARACTER;
      };
    }

    private Node group(int depth) {
      if (takeIf("*")) {
        throw new IllegalArgumentException("calls out of the expression");
      }
      if (!takeIf("?")) {
        return closed(alternatives(depth));
      }
      if (takeIf(":")) {
        return closed(alternatives(depth));
      }
      if (takeIf(">")) {
        return closed(alternatives(depth)).atomic();
      }
      if (takeIf("=") || takeIf("!") || takeIf("<=") || takeIf("<!")) {
        return closed(alternatives(depth)).lookAround();
      }
      int start = at;
      while (more() && "im-".indexOf(text.charAt(at)) >= 0) {
        at++;
      }
      if (at > start && takeIf(":")) {
        return closed(alternatives(depth));
      }
      if (at > start && takeIf(")")) {
        // An option by itself holds for the rest of the group around it, with all alternatives.
        return alternatives(depth);
      }
      throw new IllegalArgumentException("has a group of an unknown kind");
    }

    private Node closed(Node node) {
      if (!takeIf(")")) {
        throw new IllegalArgumentException("lacks a ')'");
      }
      return node;
    }

    /** Past the closing bracket; classes may hold classes. */
    private void characterClass(int depth) {
      if (depth > MAX_DEPTH) {
        throw new IllegalArgumentException("nests more than " + MAX_DEPTH + " deep");
      }
      takeIf("^");
      if (more() && text.charAt(at) == ']') {
        throw new IllegalArgumentException("has an empty class of characters");
      }
      while (true) {
        char c = take();
        if (c == ']') {
          return;
        }
        if (c == '\\') {
          take();
        } else if (c == '[' && text.startsWith(":", at) && text.indexOf(":]", at) > 0) {
          at = text.indexOf(":]", at) + 2;
        } else if (c == '[') {
          characterClass(depth + 1);
        }
      }
    }

    private Node escape() {
      char c = take();
      if (c >= '1' && c <= '9') {
        throw new IllegalArgumentException("refers back to a group");
      }
      return switch (c) {
        case 'b', 'B', 'A', 'z', 'Z', 'G' -> Node.ANCHOR;
        case 'k', 'g', 'K', 'X', 'y', 'Y', 'c', 'C', 'M' ->
            throw new IllegalArgumentException("uses \\" + c + ", which is not supported");
        case 'R' -> Node.CHARACTER.or(Node.CHARACTER); // \r\n or one of several
        case 'p', 'P' -> {
          int close = text.indexOf('}', at);
          if (!takeIf("{") || close < 0) {
            throw new IllegalArgumentException("has \\" + c + " without a {name}");
          }
          at = close + 1;
          yield Node.CHARACTER;
        }
        case 'x', 'u', 'o' -> {
          number(c);
          yield Node.CHARACTER;
        }
        default -> Node.CHARACTER;
      };
    }

    /** Past the digits of a character's number. */
    private void number(char kind) {
      if (takeIf("{")) {
        at = Math.max(at, text.indexOf('}', at) + 1);
        return;
      }
      int digits = kind == 'u' ? 4 : kind == 'x' ? 2 : 0;
      while (digits-- > 0
          && more()
          && "0123456789abcdef".contains(text.substring(at, at + 1).toLowerCase(Locale.ROOT))) {
        at++;
      }
    }
  }
}
