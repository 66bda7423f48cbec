package io.attune.training.release;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A percentile bootstrap interval for the mean of paired differences (Efron 1979): the pairs are
 * drawn again with replacement, and the interval holds 95% of the means that come out.
 *
 * @param mean the mean difference
 * @param low the 2.5th percentile of the resampled means
 * @param high the 97.5th percentile
 */
public record PairedBootstrap(double mean, double low, double high) {
  private static final double TAIL = 0.025;

  /**
   * Computes the interval.
   *
   * @param differences one for each independent pair; at least one
   * @param resamples how many means are drawn
   * @param seed makes the interval repeatable
   */
  public static PairedBootstrap of(double[] differences, int resamples, long seed) {
    if (differences.length == 0) {
      throw new IllegalArgumentException("no differences to draw from");
    }
    SplittableRandom random = new SplittableRandom(seed);
    double[] means = new double[resamples];
    for (int r = 0; r < resamples; r++) {
      double sum = 0;
      for (int i = 0; i < differences.length; i++) {
        sum += differences[random.nextInt(differences.length)];
      }
      means[r] = sum / differences.length;
    }
    Arrays.sort(means);
    double mean = Arrays.stream(differences).sum() / differences.length;
    return new PairedBootstrap(mean, quantile(means, TAIL), quantile(means, 1 - TAIL));
  }

  /** The quantile of sorted values, linear between neighbours, as numpy's default. */
  static double quantile(double[] sorted, double q) {
    double place = q * (sorted.length - 1);
    int below = (int) Math.floor(place);
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
