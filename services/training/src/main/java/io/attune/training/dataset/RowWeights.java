package io.attune.training.dataset;

import java.util.List;

/**
 * How much a row counts in training. The weight of the raters behind it makes it surer, but never
 * without end, for a row stays one example however many rate it:
 *
 * <pre>weight = 2 W / (W + 1), divided by the mean over all rows</pre>
 *
 * with W the raters' weight: 1 for one ordinary rater, 2 for a great many; in proportion to W for
 * somebody whose weight is small, so that what caps raters caps rows that are theirs alone.
 */
final class RowWeights {
  private RowWeights() {}

  /** The weight of a row before it is divided by the mean. */
  static double of(PromptRatings prompt, double raters) {
    return prompt.weighsRows() ? 2 * raters / (raters + 1) : 1;
  }

  /** The raters' weight behind a difference of two means: that of one side if the other is sure. */
  static double ofDifference(double one, double other) {
    return 2 * one * other / (one + other);
  }

  /** Divides the weights by their mean. */
  static List<Row> normalised(List<Row> rows) {
    double mean = rows.stream().mapToDouble(Row::weight).average().orElse(1);
    return rows.stream().map(row -> row.withWeight(row.weight() / mean)).toList();
  }
}
