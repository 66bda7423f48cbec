package io.attune.engine.evaluate;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * The share of texts that equal one of their references.
 *
 * @param normalised whether case, ASCII punctuation, English articles and the width of white space
 *     are left out of account, as the evaluation script of SQuAD does (Rajpurkar et al., arXiv
 *     1606.05250)
 */
public record ExactMatch(boolean normalised) implements TextMetric {
  private static final Pattern PUNCTUATION = Pattern.compile("\\p{Punct}");

  private static final Pattern ARTICLES =
      Pattern.compile("\\b(a|an|the)\\b", Pattern.UNICODE_CHARACTER_CLASS);

  @Override
  public String name() {
    return "exact_match";
  }

  @Override
  public String signature() {
    return normalised ? "norm:squad" : "norm:none";
  }

  @Override
  public double[] statistics(String hypothesis, List<String> references) {
    String written = key(hypothesis);
    boolean match = references.stream().anyMatch(reference -> key(reference).equals(written));
    return new double[] {match ? 1 : 0, 1};
  }

  @Override
  public double score(double[] sums) {
    return sums[0] / sums[1];
  }

  private String key(String text) {
    if (!normalised) {
      return text;
    }
    String words = PUNCTUATION.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
    return String.join(" ", PythonText.split(ARTICLES.matcher(words).replaceAll(" ")));
  }
}
