package io.attune.engine.objective;

import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.DoubleStream;

/**
 * The levels of an ordinal scale, and what conditional logits say about them.
 *
 * <p>Logit j (from 0) is that of "above level j, given that above level j - 1" (Shi, Cao and
 * Raschka, arXiv 2111.08851), so that the probabilities of being above each level fall by
 * construction:
 *
 * <pre>P(above level j) = sigmoid(z_0) ... sigmoid(z_j)</pre>
 *
 * @param values of the levels, rising; at least two
 */
public record RewardLevels(List<Double> values) {
  /** More are a scale to regress on. */
  public static final int MOST = 100;

  public RewardLevels {
    values = List.copyOf(values);
    Requirement.that(
        values.size() >= 2 && values.size() <= MOST,
        "levels",
        values,
        "have from 2 to " + MOST + " values");
    for (int i = 0; i < values.size(); i++) {
      boolean rises = i == 0 || values.get(i) > values.get(i - 1);
      Requirement.that(rises && Double.isFinite(values.get(i)), "levels", values, "rise");
    }
  }

  /** Every score that there is. */
  public static RewardLevels of(DoubleStream scores) {
    SortedSet<Double> distinct = new TreeSet<>();
    scores.forEach(score -> distinct.add(score + 0.0)); // -0.0 is 0
    if (distinct.size() > MOST) {
      throw new IllegalArgumentException(
          "the rows have "
              + distinct.size()
              + " different scores, too many to be levels; give 'levels', to which scores are"
              + " rounded, or take loss_type mse");
    }
    return new RewardLevels(List.copyOf(distinct));
  }

  /** How many logits there are. */
  public int logits() {
    return values.size() - 1;
  }

  /** The level nearest to a score; of two equally near ones the lower. */
  public int nearest(double score) {
    int best = 0;
    for (int i = 1; i < values.size(); i++) {
      if (Math.abs(values.get(i) - score) < Math.abs(values.get(best) - score)) {
        best = i;
      }
    }
    return best;
  }

  /** The expected level's value. */
  public double expected(double[] logits) {
    double above = 1;
    double expected = values.get(0);
    for (int j = 0; j < logits(); j++) {
      above *= Logistic.sigmoid(logits[j]);
      expected += above * (values.get(j + 1) - values.get(j));
    }
    return expected;
  }
}
