package io.attune.engine.evaluate;

import java.util.List;
import java.util.regex.Pattern;

/** How {@link Bleu} splits texts into words: sacrebleu's tokenizers that need no model. */
public enum BleuTokenizer {
  /** At white space alone, for texts that are tokenized already. */
  NONE("none") {
    @Override
    String separate(String text) {
      return text;
    }
  },
  /** Every character a word. */
  CHAR("char") {
    @Override
    String separate(String text) {
      StringBuilder out = new StringBuilder();
      text.codePoints().forEach(c -> out.appendCodePoint(c).append(' '));
      return out.toString();
    }
  },
  /** mteval-v13a, which WMT uses for Western languages. */
  V13A("13a") {
    @Override
    String separate(String text) {
      String line =
          text.replace("<skipped>", "")
              .replace("-\n", "")
              .replace("\n", " ")
              .replace("&quot;", "\"")
              .replace("&amp;", "&")
              .replace("&lt;", "<")
              .replace("&gt;", ">");
      return western(" " + line + " ");
    }
  },
  /** mteval-v14: at punctuation and symbols of every script. */
  INTL("intl") {
    @Override
    String separate(String text) {
      String line = INTL_AFTER_NON_DIGIT.matcher(text).replaceAll("$1 $2 ");
      line = INTL_BEFORE_NON_DIGIT.matcher(line).replaceAll(" $1 $2");
      return INTL_SYMBOL.matcher(line).replaceAll(" $1 ");
    }
  },
  /** Every Chinese character a word, and the rest as mteval-v13a. */
  ZH("zh") {
    @Override
    String separate(String text) {
      StringBuilder out = new StringBuilder();
      PythonText.strip(text)
          .codePoints()
          .forEach(
              c -> {
                if (isChinese(c)) {
                  out.append(' ').appendCodePoint(c).append(' ');
                } else {
                  out.appendCodePoint(c);
                }
              });
      return western(out.toString());
    }
  };

  private static final Pattern SYMBOL = Pattern.compile("([{-~\\[-` -&(-+:-@/])");
  private static final Pattern AFTER_NON_DIGIT = Pattern.compile("([^0-9])([.,])");
  private static final Pattern BEFORE_NON_DIGIT = Pattern.compile("([.,])([^0-9])");
  private static final Pattern DASH = Pattern.compile("([0-9])(-)");

  private static final Pattern INTL_AFTER_NON_DIGIT = Pattern.compile("(\\P{N})(\\p{P})");
  private static final Pattern INTL_BEFORE_NON_DIGIT = Pattern.compile("(\\p{P})(\\P{N})");
  private static final Pattern INTL_SYMBOL = Pattern.compile("(\\p{S})");

  /**
   * First and last code points. The first two ranges should be U+20000 to U+2A6D6 and U+2F800 to
   * U+2FA1D; sacrebleu writes them with escapes of four digits, so that the last digit is a
   * character of its own, and only with what it so reads do scores agree.
   */
  private static final int[][] CHINESE = {
    {0x2001, 0x2A6D},
    {0x2F81, 0x2FA1},
    {0x3400, 0x4DB5},
    {0x4E00, 0x9FA5},
    {0x9FA6, 0x9FBB},
    {0xF900, 0xFA2D},
    {0xFA30, 0xFA6A},
    {0xFA70, 0xFAD9},
    {0xFF00, 0xFFEF},
    {0x2E80, 0x2EFF},
    {0x3000, 0x303F},
    {0x31C0, 0x31EF},
    {0x2F00, 0x2FDF},
    {0x2FF0, 0x2FFF},
    {0x3100, 0x312F},
    {0x31A0, 0x31BF},
    {0xFE10, 0xFE1F},
    {0xFE30, 0xFE4F},
    {0x2600, 0x26FF},
    {0x2700, 0x27BF},
    {0x3200, 0x32FF},
    {0x3300, 0x33FF},
  };

  private final String signature;

  BleuTokenizer(String signature) {
    this.signature = signature;
  }

  /** What sacrebleu calls it. */
  public String signature() {
    return signature;
  }

  /** The words of a text. */
  List<String> words(String text) {
    return PythonText.split(separate(PythonText.stripTrailing(text)));
  }

  /** The text with white space between its words. */
  abstract String separate(String text);

  /** The part of mteval-v13a that knows the punctuation of Western languages. */
  private static String western(String text) {
    String line = SYMBOL.matcher(text).replaceAll(" $1 ");
    line = AFTER_NON_DIGIT.matcher(line).replaceAll("$1 $2 ");
    line = BEFORE_NON_DIGIT.matcher(line).replaceAll(" $1 $2");
    return DASH.matcher(line).replaceAll("$1 $2 ");
  }

  private static boolean isChinese(int c) {
    for (int[] range : CHINESE) {
      if (c >= range[0] && c <= range[1]) {
        return true;
      }
    }
    return false;
  }
}
