package io.attune.engine.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.tensor.Seed;
import java.util.Arrays;
import java.util.Random;
import java.util.function.ToDoubleFunction;

/**
 * Confidence intervals by the percentile bootstrap (Efron 1979): the rows are drawn anew with
 * replacement, and the middle of the scores of many such draws is the interval. Two systems are
 * compared on the same draws (Koehn 2004, "Statistical significance tests for machine translation
 * evaluation"), so that rows that are hard for both do not widen it.
 *
 * @param resamples how often rows are drawn anew
 * @param confidence how much of the resamples the interval holds, between 0 and 1
 * @param seed the same seed gives the same draws
 */
public record Bootstrap(int resamples, double confidence, long seed) {
  public Bootstrap {
    if (resamples < 1 || !(confidence > 0 && confidence < 1)) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "a bootstrap needs at least 1 resample and a confidence between 0 and 1; got "
              + resamples
              + " and "
              + confidence);
    }
  }

  public static Bootstrap defaults() {
    return new Bootstrap(1000, 0.95, 42);
  }

  /** A metric over rows, with its interval. */
  public Interval interval(Metric metric, Statistics rows) {
    double[] sums = new double[rows.width()];
    return interval(
        metric.score(rows), rows.rows(), drawn -> metric.score(total(rows, drawn, sums)));
  }

  /**
   * By how much a metric is higher for one system than for another on the same rows.
   *
   * @param system rows of the one
   * @param baseline the same rows of the other
   */
  public Interval difference(Metric metric, Statistics system, Statistics baseline) {
    if (system.rows() != baseline.rows()) {
      throw new EngineException(
          Reason.INCOMPATIBLE, "rows do not pair up: " + system.rows() + " and " + baseline.rows());
    }
    double[] ours = new double[system.width()];
    double[] theirs = new double[baseline.width()];
    return interval(
        metric.score(system) - metric.score(baseline),
        system.rows(),
        drawn ->
            metric.score(total(system, drawn, ours))
                - metric.score(total(baseline, drawn, theirs)));
  }

  private static double[] total(Statistics rows, int[] drawn, double[] sums) {
    Arrays.fill(sums, 0);
    for (int row : drawn) {
      rows.addTo(sums, row);
    }
    return sums;
  }

  private Interval interval(double value, int rows, ToDoubleFunction<int[]> score) {
    Random random = Seed.random(seed, "bootstrap");
    int[] drawn = new int[rows];
    double[] scores = new double[resamples];
    for (int r = 0; r < resamples; r++) {
      Arrays.setAll(drawn, i -> random.nextInt(rows));
      scores[r] = score.applyAsDouble(drawn);
    }
    Arrays.sort(scores);
    double tail = (1 - confidence) / 2;
    return new Interval(value, percentile(scores, tail), percentile(scores, 1 - tail));
  }

  /** With linear interpolation between neighbours, as NumPy's. */
  static double percentile(double[] sorted, double share) {
    double place = share * (sorted.length - 1);
    int below = (int) Math.floor(place);
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
