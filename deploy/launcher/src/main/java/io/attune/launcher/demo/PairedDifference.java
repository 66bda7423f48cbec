package io.attune.launcher.demo;

import java.util.Arrays;
import java.util.Random;

/**
 * The mean of paired differences and its 95% interval by the percentile bootstrap (Efron 1979): the
 * pairs are drawn anew with replacement, and the middle 95% of the means are the interval.
 *
 * @param before mean of the first members
 * @param after mean of the second members
 * @param mean of after - before
 * @param low the interval's lower end
 * @param high the interval's upper end
 * @param pairs how many pairs there are
 */
record PairedDifference(
    double before, double after, double mean, double low, double high, int pairs) {
  private static final int RESAMPLES = 10_000;

  /**
   * Compares.
   *
   * @param before one value a pair
   * @param after the other value of each pair, in the same order
   */
  static PairedDifference of(double[] before, double[] after, long seed) {
    if (before.length != after.length || before.length == 0) {
      throw new IllegalArgumentException(
          before.length + " values before, " + after.length + " after: they must pair up");
    }
    int n = before.length;
    double[] differences = new double[n];
    Arrays.setAll(differences, i -> after[i] - before[i]);
    Random random = new Random(seed);
    double[] means = new double[RESAMPLES];
    for (int r = 0; r < RESAMPLES; r++) {
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum += differences[random.nextInt(n)];
      }
      means[r] = sum / n;
    }
    Arrays.sort(means);
    return new PairedDifference(
        Arrays.stream(before).average().orElseThrow(),
        Arrays.stream(after).average().orElseThrow(),
        Arrays.stream(differences).average().orElseThrow(),
        means[(int) Math.floor(0.025 * RESAMPLES)],
        means[(int) Math.ceil(0.975 * RESAMPLES) - 1],
        n);
  }

  /** Whether the values rose, beyond what chance explains. */
  boolean improved() {
    return mean > 0 && low > 0;
  }
}
