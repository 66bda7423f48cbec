package io.attune.engine.objective;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A reward model from scores of which only the order counts, not how far they are apart: ratings on
 * a scale of stars, say.
 *
 * <p>CORN (Shi, Cao and Raschka, arXiv 2111.08851, equation 4): each logit is learnt from the rows
 * that reach it alone, all of them count alike,
 *
 * <pre>loss = - sum over rows at level y, over j from 0 to min(y, K - 2), of
 *     [y > j] log sigmoid(z_j) + [y = j] log sigmoid(-z_j), over the number of terms</pre>
 *
 * <p>The thresholds between levels are the head's own biases, or directions where it has none.
 */
public final class OrdinalReward implements RewardObjective<RatedSequence> {
  private final RewardLevels levels;

  public OrdinalReward(RewardLevels levels) {
    this.levels = levels;
  }

  public RewardLevels levels() {
    return levels;
  }

  @Override
  public List<Sequence> sequences(RatedSequence example) {
    return List.of(example.answer());
  }

  /** The logits that the row's level reaches. */
  @Override
  public double weight(RatedSequence example) {
    return reached(levels.nearest(example.score()));
  }

  private int reached(int level) {
    return Math.min(level + 1, levels.logits());
  }

  @Override
  public double score(Reading reading) {
    return levels.expected(reading.values());
  }

  @Override
  public Loss loss(
      List<RatedSequence> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    double value = 0;
    double[][] gradient = new double[policy.size()][];
    Metrics metrics = new Metrics();
    for (int i = 0; i < examples.size(); i++) {
      double[] logits = policy.get(i).values();
      int level = levels.nearest(examples.get(i).score());
      gradient[i] = new double[logits.length];
      for (int j = 0; j < reached(level); j++) {
        boolean above = level > j;
        value -= Logistic.logSigmoid(above ? logits[j] : -logits[j]) / normaliser;
        gradient[i][j] = (Logistic.sigmoid(logits[j]) - (above ? 1 : 0)) / normaliser;
      }
      double score = levels.expected(logits);
      double error = score - examples.get(i).score();
      metrics
          .add("mse", error * error)
          .add("mean_reward", score)
          .add("level_accuracy", levels.nearest(score) == level ? 1 : 0);
    }
    return new Loss(value, gradient, metrics);
  }
}
