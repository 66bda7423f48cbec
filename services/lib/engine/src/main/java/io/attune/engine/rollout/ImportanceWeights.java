package io.attune.engine.rollout;

import java.util.Arrays;

/**
 * Corrections for completions that another policy wrote than the one that learns from them, such as
 * the version before it, or the same weights in another arithmetic: how much likelier the learner
 * finds them.
 *
 * <p>{@link PolicyGradient} cuts weights to a cap (truncated importance sampling). With trl's
 * names, {@code token_truncate} is {@link #ofTokens} alone, {@code sequence_truncate} {@link
 * #ofSequence}, and {@code token_mask}, {@code sequence_mask} are {@link #masked} of these.
 */
public final class ImportanceWeights {
  private ImportanceWeights() {}

  /**
   * For each token exp(old - sampling).
   *
   * @param oldLogProbs under the policy that learns, before its update
   * @param samplingLogProbs under the policy that wrote them; NaN where not known, for a weight of
   *     1
   */
  public static double[] ofTokens(double[] oldLogProbs, double[] samplingLogProbs) {
    double[] weights = logs(oldLogProbs, samplingLogProbs);
    for (int t = 0; t < weights.length; t++) {
      weights[t] = Math.exp(weights[t]);
    }
    return weights;
  }

  /** For each token the product of the weights of all tokens. */
  public static double[] ofSequence(double[] oldLogProbs, double[] samplingLogProbs) {
    double[] weights = logs(oldLogProbs, samplingLogProbs);
    double sum = Arrays.stream(weights).sum();
    Arrays.fill(weights, Math.exp(sum));
    return weights;
  }

  /** The weights, but 0 where they are below {@code min} or above {@code max}. */
  public static double[] masked(double[] weights, double min, double max) {
    if (!(min < max)) {
      throw new IllegalArgumentException(
          "'min' is " + min + " and 'max' " + max + "; the first must be the smaller one");
    }
    double[] result = weights.clone();
    for (int t = 0; t < result.length; t++) {
      if (result[t] < min || result[t] > max) {
        result[t] = 0;
      }
    }
    return result;
  }

  private static double[] logs(double[] old, double[] sampling) {
    if (old.length != sampling.length) {
      throw new IllegalArgumentException(
          "%d old log-probabilities, %d of sampling".formatted(old.length, sampling.length));
    }
    double[] result = new double[old.length];
    for (int t = 0; t < result.length; t++) {
      double ahead = old[t] - sampling[t];
      result[t] = Double.isNaN(ahead) ? 0 : ahead;
    }
    return result;
  }
}
