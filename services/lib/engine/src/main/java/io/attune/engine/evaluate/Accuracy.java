package io.attune.engine.evaluate;

/** The share of rows of {@link Confusions} that were predicted rightly. */
public record Accuracy() implements Metric {
  @Override
  public String name() {
    return "accuracy";
  }

  @Override
  public double score(double[] sums) {
    Confusions.Counts counts = new Confusions.Counts(sums);
    return counts.right() / counts.rows();
  }
}
