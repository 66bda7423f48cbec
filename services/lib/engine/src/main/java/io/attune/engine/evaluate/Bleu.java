package io.attune.engine.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * BLEU (Papineni et al. 2002), 0 to 100, counted as sacrebleu does (Post, arXiv 1804.08771): with c
 * words written, r those of the closest references, and p_n the share of written n-grams that are
 * in a reference,
 *
 * <pre>min(1, exp(1 - r / c)) exp(mean over n = 1..4 of log p_n)</pre>
 *
 * @param lowercase whether case is left out of account
 * @param smoothingValue what {@link Smoothing#FLOOR} and {@link Smoothing#ADD_K} put in
 * @param effectiveOrder whether orders that a text is too short for are left out, as is due where
 *     single sentences are scored
 */
public record Bleu(
    BleuTokenizer tokenizer,
    boolean lowercase,
    Smoothing smoothing,
    double smoothingValue,
    boolean effectiveOrder)
    implements TextMetric {
  /** The release whose counts these are. */
  static final String SACREBLEU = "2.6.0";

  private static final int ORDER = 4;

  /** What is done about orders without a match (Chen and Cherry 2014, methods 1 to 3). */
  public enum Smoothing {
    NONE("none", 0),
    /** Such a count is a small value instead of 0. */
    FLOOR("floor", 0.1),
    /** A value is added to both counts of each order but the first. */
    ADD_K("add-k", 1),
    /** The k-th such precision is one match in 2^k times the n-grams. */
    EXP("exp", 0);

    private final String signature;
    private final double usual;

    Smoothing(String signature, double usual) {
      this.signature = signature;
      this.usual = usual;
    }

    /** What sacrebleu calls it. */
    public String signature() {
      return signature;
    }

    /** The value that it takes where none is given. */
    public double usualValue() {
      return usual;
    }
  }

  public Bleu {
    if (!(smoothingValue >= 0 && smoothingValue < Double.POSITIVE_INFINITY)) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "the smoothing value of BLEU is " + smoothingValue + "; it must be 0 or more");
    }
  }

  /** As sacrebleu scores corpora where nothing else is said. */
  public static Bleu of(BleuTokenizer tokenizer) {
    return new Bleu(tokenizer, false, Smoothing.EXP, 0, false);
  }

  /** As sacrebleu scores single sentences. */
  public static Bleu ofSentences(BleuTokenizer tokenizer) {
    return new Bleu(tokenizer, false, Smoothing.EXP, 0, true);
  }

  @Override
  public String name() {
    return "bleu";
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
    boolean valued = smoothing == Smoothing.FLOOR || smoothing == Smoothing.ADD_K;
    return "case:"
        + (lowercase ? "lc" : "mixed")
        + "|eff:"
        + (effectiveOrder ? "yes" : "no")
        + "|tok:"
        + tokenizer.signature()
        + "|smooth:"
        + smoothing.signature()
        + (valued ? String.format(Locale.ROOT, "[%.2f]", smoothingValue) : "")
        + "|version:"
        + SACREBLEU;
  }

  /** Words written, words of the closest reference, and n-grams of each order: matched, written. */
  @Override
  public double[] statistics(String hypothesis, List<String> references) {
    List<String> written = words(hypothesis);
    List<List<String>> right = references.stream().map(this::words).toList();
    double[] result = new double[2 + 2 * ORDER];
    result[0] = written.size();
    result[1] = closest(written.size(), right);
    for (int n = 1; n <= ORDER; n++) {
      Map<String, Integer> allowed = new HashMap<>();
      for (List<String> reference : right) {
        Ngrams.ofWords(reference, n).forEach((gram, c) -> allowed.merge(gram, c, Math::max));
      }
      Map<String, Integer> own = Ngrams.ofWords(written, n);
      result[1 + n] = Ngrams.common(own, allowed);
      result[1 + ORDER + n] = Ngrams.total(own);
    }
    return result;
  }

  private List<String> words(String text) {
    return tokenizer.words(lowercase ? text.toLowerCase(Locale.ROOT) : text);
  }

  /** The shorter one of two that are as close. */
  private static int closest(int written, List<List<String>> references) {
    int best = references.get(0).size();
    for (List<String> reference : references) {
      int length = reference.size();
      int nearer = Math.abs(written - length) - Math.abs(written - best);
      best = nearer < 0 || (nearer == 0 && length < best) ? length : best;
    }
    return best;
  }

  @Override
  public double score(double[] sums) {
    double brevity = sums[0] >= sums[1] ? 1 : sums[0] > 0 ? Math.exp(1 - sums[1] / sums[0]) : 0;
    double matches = 0;
    for (int n = 1; n <= ORDER; n++) {
      matches += sums[1 + n];
    }
    return matches == 0 ? 0 : brevity * Math.exp(meanLogPrecision(sums));
  }

  private double meanLogPrecision(double[] sums) {
    double sum = 0;
    double halving = 1;
    int order = effectiveOrder ? 0 : ORDER;
    for (int n = 1; n <= ORDER; n++) {
      double more = smoothing == Smoothing.ADD_K && n > 1 ? smoothingValue : 0;
      double matched = sums[1 + n] + more;
      double written = sums[1 + ORDER + n] + more;
      if (written == 0) {
        return effectiveOrder ? sum / order : Double.NEGATIVE_INFINITY;
      }
      if (effectiveOrder) {
        order = n;
      }
      if (matched == 0) {
        halving *= smoothing == Smoothing.EXP ? 2 : 1;
        matched =
            switch (smoothing) {
              case EXP -> 1 / halving;
              case FLOOR -> smoothingValue;
              case ADD_K, NONE -> 0;
            };
      }
      sum += Math.log(100 * matched / written);
    }
    return sum / order;
  }
}
