package io.attune.engine.evaluate;

import java.util.Locale;

/**
 * Precision, recall or their harmonic mean over {@link Confusions}, with scikit-learn's
 * definitions:
 *
 * <pre>precision = right / predicted   recall = right / true   f1 = 2 right / (predicted + true)
 * </pre>
 *
 * @param positive the label that {@link Averaging#BINARY} looks at
 * @param zeroDivision what a quotient with a denominator of 0 is
 */
public record FScore(Quantity quantity, Averaging averaging, int positive, double zeroDivision)
    implements Metric {

  /** Which of the three. */
  public enum Quantity {
    PRECISION,
    RECALL,
    F1
  }

  @Override
  public String name() {
    String name = quantity.name().toLowerCase(Locale.ROOT);
    return averaging == Averaging.BINARY
        ? name
        : averaging.name().toLowerCase(Locale.ROOT) + " " + name;
  }

  @Override
  public double score(double[] sums) {
    Confusions.Counts counts = new Confusions.Counts(sums);
    if (averaging == Averaging.BINARY) {
      return of(counts, positive);
    }
    if (averaging == Averaging.MICRO) {
      // Each row is predicted once and has one label, so both denominators are the rows.
      return quotient(counts.right(), counts.rows());
    }
    double sum = 0;
    double weights = 0;
    for (int k = 0; k < counts.labels(); k++) {
      if (counts.truth(k) + counts.predicted(k) > 0) {
        double weight = averaging == Averaging.WEIGHTED ? counts.truth(k) : 1;
        sum += weight * of(counts, k);
        weights += weight;
      }
    }
    return sum / weights;
  }

  private double of(Confusions.Counts counts, int label) {
    double right = counts.right(label);
    return switch (quantity) {
      case PRECISION -> quotient(right, counts.predicted(label));
      case RECALL -> quotient(right, counts.truth(label));
      case F1 -> quotient(2 * right, counts.predicted(label) + counts.truth(label));
    };
  }

  private double quotient(double numerator, double denominator) {
    return denominator == 0 ? zeroDivision : numerator / denominator;
  }
}
