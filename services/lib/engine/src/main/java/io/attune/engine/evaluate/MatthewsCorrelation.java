package io.attune.engine.evaluate;

/**
 * Matthews' correlation coefficient over {@link Confusions}, for two labels (Matthews 1975) and for
 * more (Gorodkin 2004): 1 for perfect predictions, 0 for those that know nothing. With c rows right
 * of s, p_k predicted and t_k true rows of label k:
 *
 * <pre>(c s - sum p_k t_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2))</pre>
 *
 * <p>0 where either side has one label only.
 */
public record MatthewsCorrelation() implements Metric {
  @Override
  public String name() {
    return "mcc";
  }

  @Override
  public double score(double[] sums) {
    Confusions.Counts counts = new Confusions.Counts(sums);
    double rows = counts.rows();
    double both = counts.right() * rows;
    double predicted = rows * rows;
    double truth = rows * rows;
    for (int k = 0; k < counts.labels(); k++) {
      both -= counts.predicted(k) * counts.truth(k);
      predicted -= counts.predicted(k) * counts.predicted(k);
      truth -= counts.truth(k) * counts.truth(k);
    }
    return predicted * truth == 0 ? 0 : both / Math.sqrt(predicted * truth);
  }
}
