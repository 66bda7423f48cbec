package io.attune.engine.evaluate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Pearson's correlation of two numbers of each row; of their ranks it is Spearman's. 0 where either
 * does not vary: there is nothing to correlate.
 *
 * <p>Numbers are taken from their means over all rows before they are summed up, so that nothing is
 * lost where they are large and vary little.
 */
public record Correlation(String name) implements Metric {

  /** What {@link #score} needs of each row. */
  public static Statistics statistics(double[] x, double[] y) {
    double[] a = centred(x);
    double[] b = centred(y);
    List<double[]> rows = new ArrayList<>();
    for (int i = 0; i < a.length; i++) {
      rows.add(new double[] {1, a[i], b[i], a[i] * a[i], b[i] * b[i], a[i] * b[i]});
    }
    return Statistics.of(rows);
  }

  private static double[] centred(double[] values) {
    double mean = IntStream.range(0, values.length).mapToDouble(i -> values[i]).average().orElse(0);
    return IntStream.range(0, values.length).mapToDouble(i -> values[i] - mean).toArray();
  }

  @Override
  public double score(double[] sums) {
    double n = sums[0];
    double xx = sums[3] - sums[1] * sums[1] / n;
    double yy = sums[4] - sums[2] * sums[2] / n;
    double xy = sums[5] - sums[1] * sums[2] / n;
    return xx <= 0 || yy <= 0 ? 0 : xy / Math.sqrt(xx * yy);
  }

  static double pearson(double[] x, double[] y) {
    return new Correlation("pearson").score(statistics(x, y));
  }

  static double spearman(double[] x, double[] y) {
    return pearson(ranks(x), ranks(y));
  }

  /** Ranks from 1; equal values have the mean of theirs. */
  public static double[] ranks(double[] values) {
    int[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] ranks = new double[values.length];
    for (int at = 0; at < order.length; ) {
      int end = at;
      while (end < order.length && values[order[end]] == values[order[at]]) {
        end++;
      }
      for (int i = at; i < end; i++) {
        ranks[order[i]] = (at + 1 + end) / 2.0;
      }
      at = end;
    }
    return ranks;
  }
}
