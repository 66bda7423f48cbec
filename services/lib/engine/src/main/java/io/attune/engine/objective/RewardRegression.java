package io.attune.engine.objective;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A reward model from scores: an answer's score is the mean that people would give it.
 *
 * <p>Least squares, whose minimum is the conditional mean:
 *
 * <pre>loss = mean over answers of (s - score)^2</pre>
 *
 * <p>Assumes that a sequence has one score, and that people's scores are of one scale.
 */
public final class RewardRegression implements RewardObjective<RatedSequence> {

  @Override
  public List<Sequence> sequences(RatedSequence example) {
    return List.of(example.answer());
  }

  @Override
  public double weight(RatedSequence example) {
    return 1;
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
      double score = policy.get(i).values()[0];
      double error = score - examples.get(i).score();
      value += error * error / normaliser;
      gradient[i] = new double[] {2 * error / normaliser};
      metrics.add("mse", error * error).add("mean_reward", score);
    }
    return new Loss(value, gradient, metrics);
  }
}
