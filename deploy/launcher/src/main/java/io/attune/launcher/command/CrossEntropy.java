package io.attune.launcher.command;

/** Mean negative log-probability of labels, in double precision. */
final class CrossEntropy {
  private double sum;
  private long count;

  /**
   * @param logits holds those of one prediction from {@code offset} on, {@code classes} of them
   */
  void add(float[] logits, int offset, int classes, int label) {
    double max = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < classes; c++) {
      max = Math.max(max, logits[offset + c]);
    }
    double total = 0;
    for (int c = 0; c < classes; c++) {
      total += Math.exp(logits[offset + c] - max);
    }
    sum -= logits[offset + label] - max - Math.log(total);
    count++;
  }

  double mean() {
    return sum / count;
  }
}
