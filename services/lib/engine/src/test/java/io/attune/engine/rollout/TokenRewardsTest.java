package io.attune.engine.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.rollout.TokenRewards.Config;
import io.attune.engine.rollout.TokenRewards.Shaped;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rewards of tokens against their definition over padded arrays. */
class TokenRewardsTest {
  private static final double INFINITE = Double.POSITIVE_INFINITY;

  @Test
  void divergenceAtEveryTokenAndTheScoreAtTheLast() {
    List<Config> configs =
        List.of(
            Config.DEFAULT,
            new Config(KlEstimator.K3, INFINITE, 1, 1),
            new Config(KlEstimator.K1, 0.4, 0.5, 0.7),
            new Config(KlEstimator.K3, 0.1, 0, 2));
    for (long seed = 0; seed < 50; seed++) {
      Padded batch = new Padded(seed);
      double[][] logProbs = batch.logProbs();
      double[][] reference = batch.near(logProbs, 0.6);
      for (Config config : configs) {
        for (int i = 0; i < batch.rows; i++) {
          double score = batch.random().nextGaussian() * 2;
          boolean ended = batch.random().nextBoolean();
          Shaped actual =
              new TokenRewards(config)
                  .of(batch.ragged(logProbs)[i], batch.ragged(reference)[i], score, ended, 0.15);
          double clipped = Math.min(Math.max(score, -config.rewardClip()), config.rewardClip());
          double counted = ended ? clipped : clipped - config.missingEosPenalty();
          double total = 0;
          for (int t = 0; t < batch.width; t++) {
            double ratio = Math.exp(logProbs[i][t] - reference[i][t]);
            double kl =
                config.klEstimator() == KlEstimator.K1
                    ? Math.log(ratio)
                    : 1 / ratio - 1 - Math.log(1 / ratio);
            kl = Math.min(Math.max(kl, -config.klClamp()), config.klClamp()) * batch.mask[i][t];
            total += kl;
            if (batch.mask[i][t] == 1) {
              double expected = -0.15 * kl + (t == batch.length(i) - 1 ? counted : 0);
              assertThat(actual.rewards()[t]).isCloseTo(expected, within(1e-12));
            }
          }
          assertThat(actual.rewards()).hasSize(batch.length(i));
          assertThat(actual.kl()).isCloseTo(total, within(1e-12));
          assertThat(actual.nonScoreReward()).isCloseTo(-0.15 * total, within(1e-12));
          assertThat(actual.score()).isCloseTo(counted, within(1e-15));
          assertThat(actual.total()).isCloseTo(counted - 0.15 * total, within(1e-12));
        }
      }
    }
  }

  @Test
  void withoutAReferenceOnlyTheScoreCounts() {
    Shaped shaped =
        new TokenRewards(Config.DEFAULT).of(new double[] {-1, -2.5}, null, 3, true, 0.05);
    assertThat(shaped.rewards()).containsExactly(0, 3);
    assertThat(shaped.metrics().means())
        .containsEntry("objective/kl", 0.0)
        .containsEntry("objective/entropy", 3.5)
        .containsEntry("objective/rlhf_reward", 3.0)
        .containsEntry("objective/scores", 3.0)
        .containsKey("objective/non_score_reward");
  }

  @Test
  void whatDoesNotFitIsRefused() {
    refused(() -> new Config(KlEstimator.K1, 0, 0, 1), "'kl_clamp' is 0.0");
    refused(() -> new Config(KlEstimator.K1, 1, -1, 1), "'missing_eos_penalty' is -1.0");
    refused(() -> new Config(KlEstimator.K1, 1, 0, -1), "'reward_clip' is -1.0");
    refused(() -> KlEstimator.named("k2"), "'kl_estimator' is k2");
    assertThat(KlEstimator.named("k3")).isEqualTo(KlEstimator.K3);
    TokenRewards rewards = new TokenRewards(Config.DEFAULT);
    refused(() -> rewards.of(new double[0], null, 1, true, 0), "without tokens");
    refused(() -> rewards.of(new double[2], new double[3], 1, true, 0), "3 log-probabilities");
    refused(() -> rewards.of(new double[2], null, Double.NaN, true, 0), "the score is NaN");
  }

  private static void refused(Runnable made, String message) {
    assertThatThrownBy(made::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
