package io.attune.engine.adapter;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression of {@code adapter_config.json}, matched against whole module paths in
 * bounded time: an expression from a stranger may backtrack for years.
 */
final class ModulePattern {
  private static final int MAX_LENGTH = 1000;

  /** Characters looked at; an honest expression takes a few for each of the path's. */
  private static final int MAX_STEPS = 100_000;

  private final Pattern pattern;

  private ModulePattern(Pattern pattern) {
    this.pattern = pattern;
  }

  /**
   * @throws IllegalArgumentException if it is no expression, or longer than any needs to be
   */
  static ModulePattern of(String expression) {
    if (expression.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "a pattern has " + expression.length() + " characters; at most " + MAX_LENGTH);
    }
    try {
      return new ModulePattern(Pattern.compile(expression));
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException("not a pattern: " + expression, e);
    }
  }

  /** Refuses an expression that takes too many steps. */
  boolean matches(String module) {
    try {
      return pattern.matcher(new Counted(module, new int[1])).matches();
    } catch (TooManySteps | StackOverflowError e) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          "adapter_config.json: the pattern " + pattern + " takes too long to match; simplify it",
          e);
    }
  }

  /** Thrown out of the matcher, which reads text in no other way than through its sequence. */
  private static final class TooManySteps extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooManySteps() {
      super(null, null, false, false);
    }
  }

  private record Counted(CharSequence text, int[] steps) implements CharSequence {
    @Override
    public char charAt(int index) {
      if (++steps[0] > MAX_STEPS) {
        throw new TooManySteps();
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return new Counted(text.subSequence(start, end), steps);
    }

    @Override
    public String toString() {
      return text.toString();
    }
  }
}
