package io.attune.engine.evaluate;

import java.util.List;

/** What metrics need to know of each row. */
public interface Statistics {
  int rows();

  /** How many numbers there are of a row. */
  int width();

  /** Adds the numbers of a row to {@code sums}, one to each. */
  void addTo(double[] sums, int row);

  /**
   * Of rows that have equally many numbers each.
   *
   * @param rows at least one
   */
  static Statistics of(List<double[]> rows) {
    int width = rows.get(0).length;
    return new Statistics() {
      @Override
      public int rows() {
        return rows.size();
      }

      @Override
      public int width() {
        return width;
      }

      @Override
      public void addTo(double[] sums, int row) {
        double[] values = rows.get(row);
        for (int i = 0; i < width; i++) {
          sums[i] += values[i];
        }
      }
    };
  }
}
