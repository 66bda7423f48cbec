package io.attune.engine.evaluate;

/**
 * True and predicted labels of rows. For K labels the statistics are, of each label, how often it
 * was predicted rightly, how often it was predicted, and how often it is the true one: 3 K numbers.
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
public record Confusions(int[] truth, int[] predicted, int labels) implements Statistics {
  public Confusions {
    if (truth.length != predicted.length) {
      throw new IllegalArgumentException(
          truth.length + " true labels, " + predicted.length + " predicted");
    }
  }

  @Override
  public int rows() {
    return truth.length;
  }

  @Override
  public int width() {
    return 3 * labels;
  }

  @Override
  public void addTo(double[] sums, int row) {
    if (truth[row] == predicted[row]) {
      sums[truth[row]]++;
    }
    sums[labels + predicted[row]]++;
    sums[2 * labels + truth[row]]++;
  }

  /** Sums of such statistics, read by what they mean. */
  record Counts(double[] sums) {
    int labels() {
      return sums.length / 3;
    }

    double right(int label) {
      return sums[label];
    }

    double predicted(int label) {
      return sums[labels() + label];
    }

    double truth(int label) {
      return sums[2 * labels() + label];
    }

    /** Rows that were predicted rightly. */
    double right() {
      double right = 0;
      for (int k = 0; k < labels(); k++) {
        right += right(k);
      }
      return right;
    }

    double rows() {
      double rows = 0;
      for (int k = 0; k < labels(); k++) {
        rows += truth(k);
      }
      return rows;
    }
  }
}
