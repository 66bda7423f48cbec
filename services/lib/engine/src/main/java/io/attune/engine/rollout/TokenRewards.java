package io.attune.engine.rollout;

import io.attune.engine.objective.Metrics;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Rewards of a completion's tokens: each token costs its divergence from the reference, the last
 * one brings the score (Ouyang et al., arXiv 2203.02155, equation 2).
 *
 * <pre>reward_t = - coefficient clamp(kl_t) + [t is last] (clip(score) - [no end] penalty)</pre>
 *
 * <p>The last token is the end-of-sequence token where one was written. trl's PPO trainer puts the
 * score there where padding and end are one token (and then learns nothing of that token); with a
 * padding token of its own it puts it one place later. Here, as in OpenRLHF and verl, the end is a
 * token like any other.
 */
public final class TokenRewards {

  /**
   * @param klEstimator how a token's divergence is estimated
   * @param klClamp bound of a token's divergence, either side; infinite for none
   * @param missingEosPenalty what a completion loses that did not end by itself
   * @param rewardClip bound of the score, either side; infinite for none. The penalty comes off
   *     what is left
   */
  public record Config(
      KlEstimator klEstimator, double klClamp, double missingEosPenalty, double rewardClip) {

    /** Of trl's PPO trainer. */
    public static final Config DEFAULT =
        new Config(KlEstimator.K1, Double.POSITIVE_INFINITY, 0, Double.POSITIVE_INFINITY);

    /**
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Config {
      if (!(klClamp > 0)) {
        throw new IllegalArgumentException("'kl_clamp' is " + klClamp + "; it must be > 0");
      }
      if (!(missingEosPenalty >= 0 && missingEosPenalty < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "'missing_eos_penalty' is " + missingEosPenalty + "; it must be >= 0");
      }
      if (!(rewardClip > 0)) {
        throw new IllegalArgumentException("'reward_clip' is " + rewardClip + "; it must be > 0");
      }
    }
  }

  /**
   * What a completion is worth.
   *
   * @param rewards of its tokens
   * @param kl divergence from the reference, summed over tokens
   * @param nonScoreReward what that costs; not above 0 by k3
   * @param score as it counts: clipped, less the penalty
   * @param entropy negative log-probability of the completion, an estimate of the policy's entropy
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never kept
  public record Shaped(
      double[] rewards, double kl, double nonScoreReward, double score, double entropy) {

    /** The sum of all tokens' rewards: what a completion is worth as one action, as in RLOO. */
    public double total() {
      return score + nonScoreReward;
    }

    /** Under the names of trl's PPO trainer. */
    public Metrics metrics() {
      return new Metrics()
          .add("objective/kl", kl)
          .add("objective/entropy", entropy)
          .add("objective/non_score_reward", nonScoreReward)
          .add("objective/rlhf_reward", total())
          .add("objective/scores", score);
    }
  }

  private final Config config;

  public TokenRewards(Config config) {
    this.config = config;
  }

  /**
   * @param logProbs of a completion's tokens under the policy that is to learn, before its update
   * @param reference likewise under the reference policy; null where divergence costs nothing
   * @param score of the completion
   * @param ended whether its last token is an end-of-sequence token
   * @param coefficient of a {@link KlController}
   * @throws IllegalArgumentException if there are no tokens, lengths differ, or the score is NaN
   */
  public Shaped of(
      double[] logProbs,
      double @Nullable [] reference,
      double score,
      boolean ended,
      double coefficient) {
    if (logProbs.length == 0) {
      throw new IllegalArgumentException("a completion without tokens has no rewards");
    }
    if (reference != null && reference.length != logProbs.length) {
      throw new IllegalArgumentException(
          "%d log-probabilities of the reference for a completion of %d tokens"
              .formatted(reference.length, logProbs.length));
    }
    if (Double.isNaN(score)) {
      throw new IllegalArgumentException("the score is NaN; leave out what could not be scored");
    }
    double[] rewards = new double[logProbs.length];
    double kl = 0;
    if (reference != null) {
      for (int t = 0; t < rewards.length; t++) {
        double estimate = config.klEstimator().of(logProbs[t] - reference[t]);
        double clamped = Clamp.of(estimate, config.klClamp());
        rewards[t] = -coefficient * clamped;
        kl += clamped;
      }
    }
    double counted =
        Clamp.of(score, config.rewardClip()) - (ended ? 0 : config.missingEosPenalty());
    rewards[rewards.length - 1] += counted;
    return new Shaped(rewards, kl, -coefficient * kl, counted, -Arrays.stream(logProbs).sum());
  }
}
