package io.attune.training.release;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A percentile bootstrap interval for the difference of the means of two independent samples (Efron
 * 1979): each sample is drawn again with replacement, and the interval holds the stated part of the
 * differences that come out.
 *
 * @param difference the first mean less the second
 * @param low end of the interval
 * @param high end of the interval
 */
public record UnpairedBootstrap(double difference, double low, double high) {

  /**
   * Computes the interval.
   *
   * @param first at least one value
   * @param second at least one value
   * @param tail the part of the differences that lies beyond either end, for example 0.025
   * @param resamples how many differences are drawn
   * @param seed makes the interval repeatable
   */
  public static UnpairedBootstrap of(
      double[] first, double[] second, double tail, int resamples, long seed) {
    if (first.length == 0 || second.length == 0) {
      throw new IllegalArgumentException("no values to draw from");
    }
    SplittableRandom random = new SplittableRandom(seed);
    double[] differences = new double[resamples];
    Arrays.setAll(differences, r -> drawnMean(first, random) - drawnMean(second, random));
    Arrays.sort(differences);
    double difference =
        Arrays.stream(first).sum() / first.length - Arrays.stream(second).sum() / second.length;
    return new UnpairedBootstrap(
        difference,
        PairedBootstrap.quantile(differences, tail),
        PairedBootstrap.quantile(differences, 1 - tail));
  }

  private static double drawnMean(double[] values, SplittableRandom random) {
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += values[random.nextInt(values.length)];
    }
    return sum / values.length;
  }
}
