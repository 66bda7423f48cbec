package io.attune.engine.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Metrics;
import io.attune.engine.objective.Objective.Readout;
import io.attune.engine.objective.Sequence;
import io.attune.engine.rollout.PolicyGradient.Config;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Losses of policies against the papers' formulas over padded arrays, and finite differences. */
class PolicyGradientTest {
  private static final double INFINITE = Double.POSITIVE_INFINITY;

  /** What a random case is about: all that the loss reads. */
  private record Case(
      Padded batch,
      double[][] logProbs,
      double[][] old,
      double[][] reference,
      double[][] advantages,
      double[][] weights) {

    static Case random(long seed) {
      Padded batch = new Padded(seed);
      double[][] logProbs = batch.logProbs();
      double[][] weights = batch.near(batch.normal(1.5, 0.1), 1);
      for (double[] row : weights) {
        for (int t = 0; t < row.length; t++) {
          row[t] = Math.abs(row[t]);
        }
      }
      return new Case(
          batch,
          logProbs,
          batch.near(logProbs, 0.3),
          batch.near(logProbs, 0.5),
          seed % 2 == 0 ? batch.constant() : batch.normal(0, 1),
          weights);
    }

    List<Experience> experiences() {
      double[][] old = batch.ragged(this.old);
      List<Experience> list = new ArrayList<>();
      for (int i = 0; i < batch.rows; i++) {
        list.add(
            Padded.experience(
                old[i],
                batch.ragged(advantages)[i],
                batch.ragged(reference)[i],
                batch.ragged(weights)[i]));
      }
      return list;
    }
  }

  private static List<Config> configs() {
    List<Config> all = new ArrayList<>();
    for (LossType type : LossType.values()) {
      for (ImportanceSamplingLevel level : ImportanceSamplingLevel.values()) {
        all.add(new Config(type, 0.2, 0.2, INFINITE, level, 0, 16, 20, INFINITE));
        all.add(new Config(type, 0.2, 0.28, 1.4, level, 0.3, 16, 20, 1.6));
        all.add(new Config(type, 0.1, 0.05, 2, level, 0.04, 3, 0.25, 3));
      }
    }
    return all;
  }

  /** The formulas of the papers as they are written there, over padded arrays. */
  private static double naive(Config config, Case c, double[][] logProbs) {
    Padded batch = c.batch();
    double total = 0;
    for (int i = 0; i < batch.rows; i++) {
      double ofRow = 0;
      for (int t = 0; t < batch.width; t++) {
        ofRow += batch.mask[i][t] * naiveToken(config, c, logProbs, i, t);
      }
      total +=
          switch (config.lossType()) {
            case GRPO -> ofRow / batch.length(i) / batch.rows;
            case PPO, DAPO, BNPO -> ofRow / batch.tokens();
            case DR_GRPO -> ofRow / (batch.rows * config.maxCompletionLength());
          };
    }
    return total;
  }

  private static double naiveToken(Config config, Case c, double[][] logProbs, int i, int t) {
    double advantage = c.advantages()[i][t];
    double ratio = naiveRatio(config, c, logProbs, i, t);
    double clipped =
        Math.min(Math.max(ratio, 1 - config.clipRangeLow()), 1 + config.clipRangeHigh());
    double surrogate;
    if (advantage >= 0) {
      surrogate = Math.min(ratio * advantage, clipped * advantage);
    } else { // Ye et al., equation 5: the dual clip bounds what a negative advantage costs
      surrogate =
          Math.max(Math.min(ratio * advantage, clipped * advantage), config.delta() * advantage);
    }
    double weight = Math.min(c.weights()[i][t], config.importanceWeightCap());
    double x = c.reference()[i][t] - logProbs[i][t];
    x = Math.min(Math.max(x, -config.logRatioClamp()), config.logRatioClamp());
    return -weight * surrogate + config.beta() * (Math.exp(x) - x - 1);
  }

  private static double naiveRatio(Config config, Case c, double[][] logProbs, int i, int t) {
    double product = 1;
    for (int s = 0; s < c.batch().width; s++) {
      double ofToken = Math.exp(logProbs[i][s] - c.old()[i][s]);
      product *= c.batch().mask[i][s] == 1 ? ofToken : 1;
    }
    double ratio =
        switch (config.importanceSamplingLevel()) {
          case TOKEN -> Math.exp(logProbs[i][t] - c.old()[i][t]);
          case SEQUENCE -> Math.pow(product, 1.0 / c.batch().length(i));
          case TRAJECTORY -> product;
        };
    double bound = Math.exp(config.logRatioClamp());
    return Math.min(Math.max(ratio, 1 / bound), bound);
  }

  private static Loss lossOf(Config config, Case c, double[][] logProbs) {
    PolicyGradient objective = new PolicyGradient(config);
    List<Experience> examples = c.experiences();
    return objective.loss(
        examples,
        Padded.readings(c.batch().ragged(logProbs)),
        null,
        examples.stream().mapToDouble(objective::weight).sum());
  }

  @Test
  void lossesAreThePapers() {
    for (long seed = 0; seed < 40; seed++) {
      Case c = Case.random(seed);
      for (Config config : configs()) {
        double expected = naive(config, c, c.logProbs());
        assertThat(lossOf(config, c, c.logProbs()).value())
            .as("%s, seed %d", config, seed)
            .isCloseTo(expected, within(1e-12 * Math.max(1, Math.abs(expected))));
      }
    }
  }

  @Test
  void gradientsAreFiniteDifferences() {
    double step = 1e-6;
    int all = 0;
    int compared = 0;
    for (long seed = 100; seed < 106; seed++) {
      Case c = Case.random(seed);
      for (Config config : configs()) {
        double[][] gradient = lossOf(config, c, c.logProbs()).gradient();
        for (int i = 0; i < c.batch().rows; i++) {
          for (int t = 0; t < c.batch().length(i); t++) {
            all++;
            double up = naive(config, c, moved(c.logProbs(), i, t, step));
            double here = naive(config, c, c.logProbs());
            double down = naive(config, c, moved(c.logProbs(), i, t, -step));
            if (Math.abs(up - 2 * here + down) > 1e-9) {
              continue; // a clip begins within the step
            }
            compared++;
            assertThat(gradient[i][t])
                .as("%s, seed %d, row %d, token %d", config, seed, i, t)
                .isCloseTo((up - down) / (2 * step), within(1e-7));
          }
        }
      }
    }
    assertThat(all).isGreaterThan(2000);
    assertThat(compared).isGreaterThan(all * 99 / 100);
  }

  private static double[][] moved(double[][] values, int i, int t, double by) {
    double[][] copy = values.clone();
    copy[i] = values[i].clone();
    copy[i][t] += by;
    return copy;
  }

  /** Clipping stops a token that has moved far enough in the direction of its advantage. */
  @Test
  void clippedTokensHaveNoGradient() {
    for (double advantage : new double[] {2, -2}) {
      for (double logRatio : new double[] {0.5, -0.5, 0.1}) {
        Experience one = Padded.experience(new double[] {-1}, new double[] {advantage}, null, null);
        double[][] read = {{-1 + logRatio}};
        Loss loss =
            new PolicyGradient(Config.PPO).loss(List.of(one), Padded.readings(read), null, 1);
        boolean stopped = Math.abs(logRatio) > 0.2 && advantage * logRatio > 0;
        assertThat(loss.gradient()[0][0])
            .isCloseTo(stopped ? 0 : -advantage * Math.exp(logRatio), within(1e-15));
      }
    }
  }

  /** A policy that has not moved yet: the plain policy gradient, nothing clipped. */
  @Test
  void theFirstStepIsThePolicyGradient() {
    Case c = Case.random(3);
    Case still =
        new Case(c.batch(), c.logProbs(), c.logProbs(), c.logProbs(), c.advantages(), c.weights());
    for (LossType type : LossType.values()) {
      Config config =
          new Config(
              type, 0.2, 0.2, INFINITE, ImportanceSamplingLevel.TOKEN, 0.1, 16, 20, INFINITE);
      Loss loss = lossOf(config, still, c.logProbs());
      var means = loss.metrics().means();
      assertThat(means).containsEntry("clip_ratio/region_mean", 0.0);
      assertThat(means).containsEntry("kl", 0.0).containsEntry("policy/approxkl_avg", 0.0);
      assertThat(means).containsEntry("val/ratio", 1.0);
      assertThat(loss.value()).isCloseTo(naive(config, still, c.logProbs()), within(1e-12));
    }
  }

  /** Micro-batches add up to one large batch; those of bnpo where they have as many tokens. */
  @ParameterizedTest
  @EnumSource(names = "BNPO", mode = EnumSource.Mode.EXCLUDE)
  void microBatchesAddUp(LossType type) {
    for (long seed = 0; seed < 20; seed++) {
      Case c = Case.random(seed);
      Config config =
          new Config(type, 0.2, 0.2, INFINITE, ImportanceSamplingLevel.TOKEN, 0.04, 9, 20, 3);
      PolicyGradient objective = new PolicyGradient(config);
      List<Experience> all = c.experiences();
      double normaliser = all.stream().mapToDouble(objective::weight).sum();
      Loss whole = lossOf(config, c, c.logProbs());
      double sum = 0;
      Metrics metrics = new Metrics();
      double[][] read = c.batch().ragged(c.logProbs());
      for (int i = 0; i < all.size(); i++) {
        Loss part =
            objective.loss(
                all.subList(i, i + 1), Padded.readings(new double[][] {read[i]}), null, normaliser);
        sum += part.value();
        metrics.addAll(part.metrics());
        assertThat(part.gradient()[0]).containsExactly(whole.gradient()[i], within(1e-15));
      }
      assertThat(sum).isCloseTo(whole.value(), within(1e-13));
      whole
          .metrics()
          .means()
          .forEach(
              (name, mean) ->
                  assertThat(metrics.means().get(name)).as(name).isCloseTo(mean, within(1e-12)));
    }
  }

  /** Steps that share a rollout batch divide by its tokens, not by their own. */
  @Test
  void dapoCountsTheTokensOfTheRolloutBatch() {
    Experience two = Padded.experience(new double[2], new double[] {1, 1}, null, null);
    Experience six = Padded.experience(new double[6], new double[6], null, null);
    PolicyGradient dapo = new PolicyGradient(Config.GRPO);
    assertThat(dapo.weight(two)).isEqualTo(2);
    assertThat(dapo.over(List.of(two, six)).weight(two)).isEqualTo(4);
    PolicyGradient ppo = new PolicyGradient(Config.PPO);
    assertThat(ppo.over(List.of(two, six)).weight(two)).isEqualTo(2);
  }

  @Test
  void metricsAreCountedByHand() {
    // Ratios e^0.5, e^-0.5, 1, e^0.5: clipped above, below, not at all, and (bad token) not.
    Experience one =
        Padded.experience(
            new double[] {-1.5, -1, -1, -1.5},
            new double[] {1, -1, 1, -1},
            new double[] {-1, -1, -1, -1},
            new double[] {1, 5, 1, 1});
    double[][] read = {{-1, -1.5, -1, -1}};
    var means =
        new PolicyGradient(Config.PPO)
            .loss(List.of(one), Padded.readings(read), null, 4)
            .metrics()
            .means();
    double k3 = Math.exp(0.5) - 0.5 - 1;
    assertThat(means)
        .containsEntry("clip_ratio/low_mean", 0.25)
        .containsEntry("clip_ratio/high_mean", 0.25)
        .containsEntry("clip_ratio/region_mean", 0.5)
        .containsEntry("policy/clipfrac_avg", 0.5)
        .containsEntry("policy/approxkl_avg", 0.5 * 3 * 0.25 / 4)
        .containsEntry("completions/mean_length", 4.0)
        .containsEntry("sampling/importance_sampling_ratio/mean", 1.5);
    assertThat(means.get("kl")).isCloseTo(k3 / 4, within(1e-15));
    assertThat(means.get("val/ratio"))
        .isCloseTo((2 * Math.exp(0.5) + Math.exp(-0.5) + 1) / 4, within(1e-15));
    assertThat(means.get("loss/policy_avg"))
        .isCloseTo(-(1.2 - 3 * 0.8 + 1 - Math.exp(0.5)) / 4, within(1e-15));
  }

  @Test
  void extremeRatiosStayFinite() {
    for (double x : new double[] {-800, 800}) {
      for (double advantage : new double[] {-1, 1}) {
        Experience one =
            Padded.experience(new double[] {-1}, new double[] {advantage}, new double[] {-1}, null);
        Config config =
            new Config(
                LossType.PPO, 0.2, 0.2, INFINITE, ImportanceSamplingLevel.TOKEN, 1, 8, 20, 3);
        Loss loss =
            new PolicyGradient(config)
                .loss(List.of(one), Padded.readings(new double[][] {{x}}), null, 1);
        assertThat(loss.value()).isFinite();
        assertThat(loss.gradient()[0][0]).isZero();
      }
    }
  }

  @Test
  void readsThePromptAndItsCompletion() {
    PolicyGradient objective = new PolicyGradient(Config.PPO);
    Experience one =
        new Experience(
            new int[] {7, 8},
            new int[] {9, 2},
            new double[2],
            new double[2],
            null,
            null,
            null,
            null);
    assertThat(objective.readout()).isEqualTo(Readout.LOG_PROBS);
    assertThat(objective.usesReference()).isFalse();
    Sequence.Continued read = (Sequence.Continued) objective.sequences(one).get(0);
    assertThat(read.ids()).containsExactly(7, 8, 9, 2);
    assertThat(read.targets()).containsExactly(false, false, true, true);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Experience one = Padded.experience(new double[2], new double[2], null, null);
    Config held =
        new Config(LossType.PPO, 0.2, 0.2, INFINITE, ImportanceSamplingLevel.TOKEN, 0.1, 8, 20, 3);
    assertThatThrownBy(
            () ->
                new PolicyGradient(held)
                    .loss(List.of(one), Padded.readings(new double[1][2]), null, 1))
        .hasMessageContaining("'beta' is 0.1")
        .hasMessageContaining("referenceLogProbs");
    assertThatThrownBy(
            () ->
                new PolicyGradient(Config.PPO)
                    .loss(List.of(one), Padded.readings(new double[1][3]), null, 1))
        .hasMessageContaining("3 log-probabilities")
        .hasMessageContaining("2 tokens");
  }

  @Test
  void settingsOutOfRangeAreRefusedByName() {
    refused(() -> config(0, 0.2, INFINITE, 0, 8, 20, 3), "'epsilon' is 0.0");
    refused(() -> config(1, 0.2, INFINITE, 0, 8, 20, 3), "'epsilon' is 1.0");
    refused(() -> config(Double.NaN, 0.2, INFINITE, 0, 8, 20, 3), "'epsilon' is NaN");
    refused(() -> config(0.2, 0, INFINITE, 0, 8, 20, 3), "'epsilon_high' is 0.0");
    refused(() -> config(0.2, 0.2, 1.2, 0, 8, 20, 3), "'delta' is 1.2");
    refused(() -> config(0.2, 0.2, INFINITE, -1, 8, 20, 3), "'beta' is -1.0");
    refused(() -> config(0.2, 0.2, INFINITE, INFINITE, 8, 20, 3), "'beta' is Infinity");
    refused(() -> config(0.2, 0.2, INFINITE, 0, 0, 20, 3), "'max_completion_length' is 0");
    refused(() -> config(0.2, 0.2, INFINITE, 0, 8, 0, 3), "'log_ratio_clamp' is 0.0");
    refused(() -> config(0.2, 0.2, INFINITE, 0, 8, 20, 0), "'importance_weight_cap' is 0.0");
    refused(() -> LossType.named("cispo"), "'loss_type' is cispo; implemented are ppo, grpo");
    refused(
        () -> ImportanceSamplingLevel.named("word"),
        "'importance_sampling_level' is word; implemented are token, sequence, trajectory");
    assertThat(LossType.named("dr_grpo")).isEqualTo(LossType.DR_GRPO);
    assertThat(ImportanceSamplingLevel.named("sequence"))
        .isEqualTo(ImportanceSamplingLevel.SEQUENCE);
  }

  private static Config config(
      double low, double high, double delta, double beta, int length, double clamp, double cap) {
    return new Config(
        LossType.PPO, low, high, delta, ImportanceSamplingLevel.TOKEN, beta, length, clamp, cap);
  }

  private static void refused(Runnable made, String message) {
    assertThatThrownBy(made::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
