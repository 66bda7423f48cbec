package io.attune.engine.objective;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A reward model from comparisons: the chosen answer scores above the rejected one.
 *
 * <p>Bradley and Terry (1952) as in Ouyang et al., arXiv 2203.02155; margin as in Touvron et al.,
 * arXiv 2307.09288; centring as in Eisenstein et al., arXiv 2312.09244:
 *
 * <pre>loss = mean over pairs of -log sigmoid(s_c - s_r - margin) + k (s_c + s_r)^2</pre>
 *
 * <p>Assumes that a sequence has one score.
 */
public final class RewardModeling implements RewardObjective<RewardPair> {

  /**
   * @param centerRewardsCoefficient k: how strongly scores are drawn to a mean of 0
   */
  public record Config(double centerRewardsCoefficient) {
    public static final Config DEFAULT = new Config(0);

    public Config {
      if (!(centerRewardsCoefficient >= 0)) {
        throw new IllegalArgumentException(
            "'center_rewards_coefficient' is " + centerRewardsCoefficient + "; it must not be < 0");
      }
    }
  }

  private final Config config;

  public RewardModeling(Config config) {
    this.config = config;
  }

  @Override
  public List<Sequence> sequences(RewardPair pair) {
    return List.of(pair.chosen(), pair.rejected());
  }

  @Override
  public double weight(RewardPair pair) {
    return 1;
  }

  @Override
  public Loss loss(
      List<RewardPair> pairs,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    double value = 0;
    double[][] gradient = new double[policy.size()][];
    Metrics metrics = new Metrics();
    double k = config.centerRewardsCoefficient();
    for (int i = 0; i < pairs.size(); i++) {
      double chosen = policy.get(2 * i).values()[0];
      double rejected = policy.get(2 * i + 1).values()[0];
      double ahead = chosen - rejected - pairs.get(i).margin();
      double sum = chosen + rejected;
      value += (-Logistic.logSigmoid(ahead) + k * sum * sum) / normaliser;
      double slope = -Logistic.sigmoid(-ahead);
      gradient[2 * i] = new double[] {(slope + 2 * k * sum) / normaliser};
      gradient[2 * i + 1] = new double[] {(-slope + 2 * k * sum) / normaliser};
      metrics
          .add("accuracy", chosen > rejected ? 1 : 0)
          .add("margin", chosen - rejected)
          .add("mean_reward", chosen)
          .add("mean_reward", rejected);
    }
    return new Loss(value, gradient, metrics);
  }
}
