package io.attune.engine.evaluate;

/**
 * A number that says how good a model is over some rows, as a function of statistics that add up
 * over them; so any resample of the rows is scored without reading the model again.
 */
public interface Metric {
  /** What the metric is called in reports. */
  String name();

  /**
   * Scores rows.
   *
   * @param sums of each statistic over the rows
   */
  double score(double[] sums);

  /** Scores all rows. */
  default double score(Statistics rows) {
    double[] sums = new double[rows.width()];
    for (int row = 0; row < rows.rows(); row++) {
      rows.addTo(sums, row);
    }
    return score(sums);
  }
}
