package io.attune.engine.generate;

import org.jspecify.annotations.Nullable;

/**
 * Temperature, top-k, top-p and min-p, in this order, as transformers' warpers compute them: each
 * sees what the one before has left. Immutable.
 */
final class Truncation {
  /**
   * Least temperature that is computed with; below it logits that differ at all are as far apart as
   * they can be.
   */
  private static final double LEAST_TEMPERATURE = 1e-6;

  private final double temperature;
  private final int topK;
  private final double topP;
  private final double minP;

  Truncation(SamplingParameters parameters) {
    temperature = Math.max(LEAST_TEMPERATURE, parameters.temperature());
    topK = parameters.topK();
    topP = parameters.topP();
    minP = parameters.minP();
  }

  double temperature() {
    return temperature;
  }

  /** Whether every token may be drawn. */
  boolean keepsAll() {
    return topK == 0 && topP == 1 && minP == 0;
  }

  /** Whether where to cut depends on tokens that are no candidates. */
  boolean needsMass() {
    return topK == 0 && topP < 1;
  }

  /**
   * What may be drawn: the first {@code size} candidates, with probabilities in proportion to their
   * weights.
   *
   * @param weights exp((logit - largest) / temperature); more of them than {@code size}
   * @param sum of the weights of what is kept
   */
  @SuppressWarnings("ArrayRecordComponent") // made and read in one place
  record Kept(int size, double[] weights, double sum) {}

  /**
   * Cuts candidates off.
   *
   * @param mass sum of all tokens' weights; not read unless {@link #needsMass}
   * @return null if more candidates are needed to know where to cut
   */
  @Nullable Kept keep(Candidates candidates, double mass) {
    float[] logits = candidates.logits();
    if (logits.length == 0) {
      return null;
    }
    double[] weights = weights(logits);
    int size = logits.length;
    boolean complete = candidates.whole();
    if (topK > size && !complete) {
      return null;
    }
    if (topK > 0 && topK <= size) {
      size = topK;
      // Those that equal the last are kept as well.
      while (size < logits.length && logits[size] == logits[topK - 1]) {
        size++;
      }
      complete = true;
    }
    if (topP < 1) {
      double enough = topP * (complete ? sum(weights, size) : mass);
      double reached = 0;
      int kept = 0;
      while (kept < size && (kept == 0 || reached < enough)) {
        reached += weights[kept++];
      }
      if (!complete && reached < enough) {
        return null;
      }
      complete = true;
      size = kept;
    }
    if (minP > 0) {
      int kept = 1;
      while (kept < size && weights[kept] >= minP) {
        kept++;
      }
      if (!complete && kept == size) {
        return null;
      }
      complete = true;
      size = kept;
    }
    return complete ? new Kept(size, weights, sum(weights, size)) : null;
  }

  double[] weights(float[] logits) {
    double[] weights = new double[logits.length];
    for (int i = 0; i < logits.length; i++) {
      weights[i] = Math.exp(((double) logits[i] - logits[0]) / temperature);
    }
    return weights;
  }

  private static double sum(double[] values, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += values[i];
    }
    return sum;
  }
}
