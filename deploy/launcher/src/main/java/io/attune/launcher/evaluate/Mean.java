package io.attune.launcher.evaluate;

import io.attune.engine.evaluate.Metric;
import io.attune.engine.evaluate.Statistics;
import java.util.ArrayList;
import java.util.List;

/** The mean of a number of each row. */
record Mean(String name) implements Metric {
  static Statistics statistics(double[] values) {
    List<double[]> rows = new ArrayList<>();
    for (double value : values) {
      rows.add(new double[] {value, 1});
    }
    return Statistics.of(rows);
  }

  @Override
  public double score(double[] sums) {
    return sums[0] / sums[1];
  }
}
