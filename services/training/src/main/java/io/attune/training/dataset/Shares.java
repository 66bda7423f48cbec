package io.attune.training.dataset;

import java.util.Arrays;

/** Scales weights down until none is more than its part of their sum. */
final class Shares {
  private Shares() {}

  /**
   * The part of the whole that each of several voices may have: {@code wanted}, or, where they are
   * few, twice an equal part. With less room than that, one voice that says little would silence
   * all the others.
   */
  static double room(double wanted, int voices) {
    return Math.min(1, Math.max(wanted, 2.0 / Math.max(1, voices)));
  }

  /**
   * The largest weights, none above those given, of which weight i is at most {@code parts[i]} of
   * the sum. They exist where the parts of all weights above 0 sum to 1 or more.
   *
   * @param weights 0 or more
   * @return new weights; a weight that is within its part stays as it is unless others shrink
   */
  static double[] capped(double[] weights, double[] parts) {
    double[] result = weights.clone();
    boolean[] full = new boolean[weights.length];
    double sum = Arrays.stream(weights).sum();
    boolean changed = sum > 0;
    while (changed) {
      changed = false;
      // Who is above his part of a sum is also above it of a smaller one: the set only grows.
      for (int i = 0; i < weights.length; i++) {
        if (!full[i] && weights[i] > parts[i] * sum * (1 + ROUNDING)) {
          full[i] = true;
          changed = true;
        }
      }
      double free = 0;
      double taken = 0;
      for (int i = 0; i < weights.length; i++) {
        free += full[i] ? 0 : weights[i];
        taken += full[i] ? parts[i] : 0;
      }
      if (changed && free > 0 && taken < 1) {
        sum = free / (1 - taken);
      } else if (changed) {
        sum = smallest(weights, parts, full);
        changed = false;
      }
    }
    for (int i = 0; i < weights.length; i++) {
      result[i] = Math.min(weights[i], full[i] ? parts[i] * sum : weights[i]);
    }
    return result;
  }

  private static final double ROUNDING = 1e-12;

  /** Everybody has his full part: the one who says least for it sets the sum. */
  private static double smallest(double[] weights, double[] parts, boolean[] full) {
    double sum = Double.POSITIVE_INFINITY;
    for (int i = 0; i < weights.length; i++) {
      if (full[i]) {
        sum = Math.min(sum, weights[i] / parts[i]);
      }
    }
    return sum;
  }
}
