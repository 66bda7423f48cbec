package io.attune.engine.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * chrF (Popović 2015), and chrF++ (Popović 2017) where n-grams of words are counted too; 0 to 100,
 * as sacrebleu counts it: the F-measure of n-grams of characters without white space, recall
 * counting beta times as much as precision. Of several references the one that scores best is
 * taken.
 *
 * @param charOrder longest n-gram of characters; usually 6
 * @param wordOrder longest n-gram of words; 0 for chrF, 2 for chrF++
 * @param beta usually 2
 * @param lowercase whether case is left out of account
 * @param whitespace whether white space is a character
 * @param epsSmoothing whether orders that a text is too short for count as (almost) nothing,
 *     instead of not at all
 */
public record Chrf(
    int charOrder,
    int wordOrder,
    int beta,
    boolean lowercase,
    boolean whitespace,
    boolean epsSmoothing)
    implements TextMetric {
  private static final double EPSILON = 1e-16;
  private static final String PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

  public Chrf {
    if (charOrder < 0 || wordOrder < 0 || charOrder + wordOrder < 1 || beta < 0) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "chrF needs n-grams of characters or words, and a beta from 0; got orders "
              + charOrder
              + " and "
              + wordOrder
              + ", beta "
              + beta);
    }
  }

  public static Chrf chrf() {
    return new Chrf(6, 0, 2, false, false, false);
  }

  public static Chrf chrfPlusPlus() {
    return new Chrf(6, 2, 2, false, false, false);
  }

  @Override
  public String name() {
    return "chrf" + "+".repeat(wordOrder);
  }

  /**
   * As sacrebleu prints it.
   *
   * @param references how many there are of each text
   */
  public String signature(int references) {
    return "nrefs:" + references + "|" + signature();
  }

  @Override
  public String signature() {
    return "case:"
        + (lowercase ? "lc" : "mixed")
        + "|eff:"
        + (epsSmoothing ? "no" : "yes")
        + "|nc:"
        + charOrder
        + "|nw:"
        + wordOrder
        + "|space:"
        + (whitespace ? "yes" : "no")
        + "|version:"
        + Bleu.SACREBLEU;
  }

  /** For each order n-grams written, in the reference, and in both. */
  @Override
  public double[] statistics(String hypothesis, List<String> references) {
    List<Map<String, Integer>> written = ngrams(hypothesis);
    double[] best = {};
    double bestScore = -1;
    for (String reference : references) {
      List<Map<String, Integer>> right = ngrams(reference);
      double[] own = new double[3 * written.size()];
      for (int n = 0; n < written.size(); n++) {
        // What no reference is long enough for is not held against the text.
        own[3 * n] = right.get(n).isEmpty() ? 0 : Ngrams.total(written.get(n));
        own[3 * n + 1] = Ngrams.total(right.get(n));
        own[3 * n + 2] = Ngrams.common(written.get(n), right.get(n));
      }
      double score = score(own);
      if (score > bestScore) {
        bestScore = score;
        best = own;
      }
    }
    return best;
  }

  private List<Map<String, Integer>> ngrams(String text) {
    String line = lowercase ? text.toLowerCase(Locale.ROOT) : text;
    int[] characters =
        (whitespace ? line : String.join("", PythonText.split(line))).codePoints().toArray();
    List<Map<String, Integer>> counts = new ArrayList<>();
    for (int n = 1; n <= charOrder; n++) {
      counts.add(Ngrams.ofCharacters(characters, n));
    }
    List<String> words = wordOrder > 0 ? words(line) : List.of();
    for (int n = 1; n <= wordOrder; n++) {
      counts.add(Ngrams.ofWords(words, n));
    }
    return counts;
  }

  /** Words with one mark of punctuation split off at the end, or else at the beginning. */
  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    for (String word : PythonText.split(text)) {
      int last = word.length() - 1;
      if (last > 0 && PUNCTUATION.indexOf(word.charAt(last)) >= 0) {
        words.add(word.substring(0, last));
        words.add(word.substring(last));
      } else if (last > 0 && PUNCTUATION.indexOf(word.charAt(0)) >= 0) {
        words.add(word.substring(0, 1));
        words.add(word.substring(1));
      } else {
        words.add(word);
      }
    }
    return words;
  }

  @Override
  public double score(double[] sums) {
    int orders = sums.length / 3;
    double smoothed = 0;
    double precisions = 0;
    double recalls = 0;
    int effective = 0;
    for (int n = 0; n < orders; n++) {
      double written = sums[3 * n];
      double right = sums[3 * n + 1];
      double precision = written > 0 ? sums[3 * n + 2] / written : EPSILON;
      double recall = right > 0 ? sums[3 * n + 2] / right : EPSILON;
      smoothed += f(precision, recall, EPSILON);
      if (written > 0 && right > 0) {
        precisions += precision;
        recalls += recall;
        effective++;
      }
    }
    if (epsSmoothing) {
      return 100 * smoothed / orders;
    }
    return effective == 0 ? 0 : 100 * f(precisions / effective, recalls / effective, 0);
  }

  private double f(double precision, double recall, double undefined) {
    double factor = (double) beta * beta;
    double denominator = factor * precision + recall;
    return denominator > 0 ? (1 + factor) * precision * recall / denominator : undefined;
  }
}
