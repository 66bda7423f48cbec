package io.attune.engine.generate;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Chooses the tokens of one text. Truncation is in transformers' order: temperature, top-k, top-p.
 * Single-threaded.
 */
public final class Sampler {
  private static final SecureRandom SEEDS = new SecureRandom();

  private final SamplingParameters parameters;
  private final SplittableRandom random;

  public Sampler(SamplingParameters parameters) {
    this.parameters = parameters;
    this.random = new SplittableRandom(parameters.seed().orElseGet(SEEDS::nextLong));
  }

  /**
   * @param logits [V] of one row, read only
   */
  public int next(float[] logits) {
    return parameters.temperature() == 0 ? argmax(logits) : sample(logits);
  }

  /** Natural logarithm of a token's probability at temperature 1 without truncation. */
  public static float logProbability(float[] logits, int token) {
    double max = logits[argmax(logits)];
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return (float) (logits[token] - max - Math.log(sum));
  }

  private static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  private int sample(float[] logits) {
    boolean truncates = parameters.topK() > 0 || parameters.topP() < 1;
    int[] order = truncates ? descending(logits) : null;
    int kept = order == null ? logits.length : keepTopK(order.length);
    double max = logits[argmax(logits)];
    double[] weights = new double[kept];
    double sum = 0;
    for (int i = 0; i < kept; i++) {
      int token = order == null ? i : order[i];
      weights[i] = Math.exp((logits[token] - max) / parameters.temperature());
      sum += weights[i];
    }
    if (parameters.topP() < 1) {
      double reached = 0;
      double enough = parameters.topP() * sum;
      int cut = 0;
      // The token that reaches p is kept, so that at least one is.
      while (cut < kept && reached < enough) {
        reached += weights[cut++];
      }
      kept = cut;
      sum = reached;
    }
    double drawn = random.nextDouble() * sum;
    for (int i = 0; i < kept - 1; i++) {
      drawn -= weights[i];
      if (drawn < 0) {
        return order == null ? i : order[i];
      }
    }
    return order == null ? kept - 1 : order[kept - 1];
  }

  private int keepTopK(int vocabulary) {
    return parameters.topK() == 0 ? vocabulary : Math.min(parameters.topK(), vocabulary);
  }

  /** Token ids, likeliest first; equal ones by id. */
  private static int[] descending(float[] logits) {
    long[] keys = new long[logits.length];
    for (int i = 0; i < logits.length; i++) {
      int bits = Float.floatToIntBits(logits[i]);
      // Orders as the floats do, and descending.
      int ordered = ~(bits >= 0 ? bits : bits ^ 0x7FFFFFFF);
      keys[i] = ((long) ordered << 32) | i;
    }
    Arrays.sort(keys);
    int[] order = new int[keys.length];
    for (int i = 0; i < keys.length; i++) {
      order[i] = (int) keys[i];
    }
    return order;
  }
}
