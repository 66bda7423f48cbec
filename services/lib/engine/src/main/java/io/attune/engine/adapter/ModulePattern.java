package io.attune.engine.adapter;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression of an adapter's configuration, in Python's spelling, for paths of modules.
 *
 * <p>It comes from a stranger's file: matching that takes too many steps is given up.
 */
final class ModulePattern {
  /** Characters looked at in one match; an honest pattern looks at each a few times. */
  private static final int BUDGET = 100_000;

  private static final int MAX_LENGTH = 1000;

  private final Pattern pattern;

  /**
   * @throws IllegalArgumentException if the text is no pattern, or longer than any needs to be
   */
  ModulePattern(String text) {
    if (text.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "a pattern has " + text.length() + " characters; at most " + MAX_LENGTH);
    }
    try {
      pattern = Pattern.compile(text.replace("(?P<", "(?<"));
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException("'" + text + "' is no regular expression", e);
    }
  }

  /**
   * Whether the whole path matches.
   *
   * @throws IllegalArgumentException if finding out takes too long
   */
  boolean matches(String path) {
    try {
      return pattern.matcher(new Counted(path, new int[] {BUDGET})).matches();
    } catch (StackOverflowError e) {
      throw new IllegalArgumentException("matching '" + path + "' takes too many steps", e);
    }
  }

  private record Counted(String text, int[] left) implements CharSequence {
    @Override
    public char charAt(int index) {
      if (left[0]-- == 0) {
        throw new IllegalArgumentException("matching '" + text + "' takes too many steps");
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return new Counted(text.substring(start, end), left);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
