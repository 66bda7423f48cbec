package io.attune.engine.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Metrics;
import io.attune.engine.rollout.Advantages.OfCompletions;
import io.attune.engine.rollout.Advantages.OfTokens;
import io.attune.engine.rollout.Advantages.ScaleRewards;
import io.attune.engine.rollout.PolicyGradient.Config;
import io.attune.engine.rollout.TokenRewards.Shaped;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What trl's and verl's own code computes on padded arrays: see make_rollout.py. */
class RolloutReferenceTest {
  private static final double INFINITE = Double.POSITIVE_INFINITY;
  private static JsonNode golden;

  @BeforeAll
  static void read() throws IOException {
    golden = Golden.json("rollout/expected.json");
  }

  @Test
  void whitening() {
    JsonNode expected = golden.get("whiten");
    double[][] rows = rows(expected.get("rows"));
    assertRows(Advantages.whiten(rows, true), expected.get("shifted"));
    assertRows(Advantages.whiten(rows, false), expected.get("kept"));
  }

  @Test
  void rewardsAndAdvantagesOfPpo() {
    assertThat(golden.get("ppo_rewards")).hasSize(3);
    for (JsonNode expected : golden.get("ppo_rewards")) {
      TokenRewards shaping =
          new TokenRewards(
              new TokenRewards.Config(
                  KlEstimator.named(expected.get("kl_estimator").asText()),
                  INFINITE,
                  expected.get("missing_eos_penalty").asDouble(),
                  INFINITE));
      double[][] logProbs = rows(expected.get("log_probs"));
      double[][] reference = rows(expected.get("reference"));
      double[][] rewards = new double[logProbs.length][];
      Metrics metrics = new Metrics();
      for (int i = 0; i < rewards.length; i++) {
        Shaped shaped =
            shaping.of(
                logProbs[i],
                reference[i],
                expected.get("scores").get(i).asDouble(),
                expected.get("ended").get(i).asBoolean(),
                expected.get("kl_coef").asDouble());
        rewards[i] = shaped.rewards();
        metrics.addAll(shaped.metrics());
      }
      if (expected.get("whiten_rewards").asBoolean()) {
        rewards = Advantages.whiten(rewards, false);
      }
      assertRows(rewards, expected.get("rewards"));
      OfTokens actual =
          Advantages.generalized(
              rewards,
              rows(expected.get("values")),
              expected.get("gamma").asDouble(),
              expected.get("lam").asDouble());
      assertRows(actual.advantages(), expected.get("advantages"));
      assertRows(actual.returns(), expected.get("returns"));
      for (String name : List.of("kl", "non_score_reward", "rlhf_reward", "scores")) {
        assertMetric(metrics, "objective/" + name, expected);
      }
    }
  }

  @Test
  void lossesOfPpo() {
    assertThat(golden.get("ppo_losses")).hasSize(2);
    for (JsonNode expected : golden.get("ppo_losses")) {
      double[][] old = rows(expected.get("old_log_probs"));
      List<Experience> examples = new ArrayList<>();
      for (int i = 0; i < old.length; i++) {
        examples.add(
            new Experience(
                new int[] {1},
                new int[old[i].length],
                old[i],
                row(expected.get("advantages").get(i)),
                null,
                row(expected.get("returns").get(i)),
                row(expected.get("old_values").get(i)),
                null));
      }
      double tokens = examples.stream().mapToInt(Experience::length).sum();
      double range = expected.get("cliprange").asDouble();
      Config config =
          new Config(
              LossType.PPO, range, range, INFINITE, ImportanceSamplingLevel.TOKEN, 0, 8, 20, 3);
      Loss policy =
          new PolicyGradient(config)
              .loss(examples, Padded.readings(rows(expected.get("log_probs"))), null, tokens);
      assertNumber(policy.value(), expected.get("loss/policy_avg"));
      assertRows(policy.gradient(), expected.get("policy_gradient"));
      assertMetric(policy.metrics(), "loss/policy_avg", expected);
      assertMetric(policy.metrics(), "policy/clipfrac_avg", expected);
      assertMetric(policy.metrics(), "policy/approxkl_avg", expected);

      double coefficient = expected.get("vf_coef").asDouble();
      Loss value =
          new ValueRegression(
                  new ValueRegression.Config(
                      expected.get("cliprange_value").asDouble(), coefficient))
              .loss(examples, Padded.readings(rows(expected.get("values"))), null, tokens);
      assertThat(value.value())
          .isCloseTo(coefficient * expected.get("loss/value_avg").asDouble(), within(1e-12));
      assertRows(value.gradient(), expected.get("value_gradient"));
      assertMetric(value.metrics(), "loss/value_avg", expected);
      assertMetric(value.metrics(), "val/clipfrac_avg", expected);
    }
  }

  @Test
  void lossesOfGrpoAndItsVariants() {
    JsonNode given = golden.get("grpo");
    assertThat(given.get("cases")).hasSize(12);
    for (JsonNode expected : given.get("cases")) {
      Config config =
          new Config(
              LossType.named(expected.get("loss_type").asText()),
              expected.get("epsilon").asDouble(),
              expected.get("epsilon_high").asDouble(),
              expected.get("delta").isNull() ? INFINITE : expected.get("delta").asDouble(),
              ImportanceSamplingLevel.named(expected.get("importance_sampling_level").asText()),
              expected.get("beta").asDouble(),
              expected.get("max_completion_length").asInt(),
              20,
              INFINITE);
      List<Experience> batch = experiences(given, expected.get("weighted").asBoolean());
      // What a step sees of the rollout batch, in micro-batches.
      int size = expected.get("micro_batch").asInt();
      List<Experience> step = batch.subList(0, expected.get("rows").asInt());
      PolicyGradient objective = new PolicyGradient(config).over(batch);
      double normaliser = step.stream().mapToDouble(objective::weight).sum();
      double[][] logProbs = rows(given.get("log_probs"));
      double loss = 0;
      double[][] gradient = new double[step.size()][];
      Metrics metrics = new Metrics();
      for (int start = 0; start < step.size(); start += size) {
        double[][] read = new double[size][];
        System.arraycopy(logProbs, start, read, 0, size);
        Loss part =
            objective.loss(
                step.subList(start, start + size), Padded.readings(read), null, normaliser);
        loss += part.value();
        System.arraycopy(part.gradient(), 0, gradient, start, size);
        metrics.addAll(part.metrics());
      }
      assertNumber(loss, expected.get("loss"));
      assertRows(gradient, expected.get("gradient"));
      JsonNode means = expected.get("metrics");
      means.fieldNames().forEachRemaining(name -> assertMetric(metrics, name, means));
    }
  }

  @Test
  void lossOfRloo() {
    JsonNode expected = golden.get("rloo");
    List<Experience> examples = experiences(expected, false);
    Config config =
        new Config(
            Config.RLOO.lossType(),
            expected.get("epsilon").asDouble(),
            expected.get("epsilon_high").asDouble(),
            INFINITE,
            Config.RLOO.importanceSamplingLevel(),
            0,
            8,
            20,
            3);
    Loss loss =
        new PolicyGradient(config)
            .loss(
                examples, Padded.readings(rows(expected.get("log_probs"))), null, examples.size());
    assertNumber(loss.value(), expected.get("loss"));
    assertRows(loss.gradient(), expected.get("gradient"));
    JsonNode means = expected.get("metrics");
    assertThat(means).hasSize(3);
    means.fieldNames().forEachRemaining(name -> assertMetric(loss.metrics(), name, means));
  }

  @Test
  void advantagesWithinGroups() {
    JsonNode given = golden.get("group_relative");
    int generations = given.get("num_generations").asInt();
    double[] rewards = row(given.get("rewards"));
    assertThat(given.get("cases")).hasSize(3);
    for (JsonNode expected : given.get("cases")) {
      ScaleRewards scale = ScaleRewards.named(expected.get("scale_rewards").asText());
      OfCompletions actual = Advantages.groupRelative(rewards, generations, scale);
      assertRow(actual.advantages(), expected.get("advantages"));
      if (scale != ScaleRewards.BATCH) { // there trl reports on the batch's deviation
        // The last group has a single score: to trl its deviation is unknown, here it is none.
        assertThat(actual.zeroStd()).containsExactly(false, true, false, true);
        for (int g = 0; g < 3; g++) {
          assertThat(actual.zeroStd()[g]).isEqualTo(expected.get("is_std_zero").get(g).asBoolean());
        }
      }
    }
  }

  @Test
  void advantagesLeavingOneOut() {
    JsonNode given = golden.get("leave_one_out");
    double[][] logProbs = rows(given.get("log_probs"));
    double[][] reference = rows(given.get("reference"));
    assertThat(given.get("cases")).hasSize(3);
    for (JsonNode expected : given.get("cases")) {
      double clip =
          expected.get("reward_clip").isNull() ? INFINITE : expected.get("reward_clip").asDouble();
      TokenRewards shaping =
          new TokenRewards(new TokenRewards.Config(KlEstimator.K1, INFINITE, 0, clip));
      double[] rewards = row(given.get("rewards"));
      for (int i = 0; i < rewards.length; i++) {
        if (!Double.isNaN(rewards[i])) {
          double beta = expected.get("beta").asDouble();
          rewards[i] = shaping.of(logProbs[i], reference[i], rewards[i], true, beta).total();
        }
      }
      OfCompletions actual =
          Advantages.leaveOneOut(
              rewards,
              given.get("num_generations").asInt(),
              expected.get("normalize_advantages").asBoolean());
      assertRow(actual.advantages(), expected.get("advantages"));
      for (int g = 0; g < 3; g++) {
        assertThat(actual.zeroStd()[g]).isEqualTo(expected.get("is_std_zero").get(g).asBoolean());
      }
    }
  }

  @Test
  void importanceWeights() {
    JsonNode given = golden.get("importance_weights");
    double[][] old = rows(given.get("old"));
    double[][] sampling = rows(given.get("sampling"));
    assertThat(given.get("cases")).hasSize(4);
    for (JsonNode expected : given.get("cases")) {
      String mode = expected.get("mode").asText();
      double max = expected.get("max").asDouble();
      for (int i = 0; i < old.length; i++) {
        double[] weights =
            mode.startsWith("token")
                ? ImportanceWeights.ofTokens(old[i], sampling[i])
                : ImportanceWeights.ofSequence(old[i], sampling[i]);
        if (mode.endsWith("mask")) {
          weights = ImportanceWeights.masked(weights, 0, max);
        } else { // what PolicyGradient does with them
          for (int t = 0; t < weights.length; t++) {
            weights[t] = Math.min(weights[t], max);
          }
        }
        assertRow(weights, expected.get("weights").get(i));
      }
    }
  }

  @Test
  void reinforcePlusPlusAndGaeOfVerl() {
    JsonNode plain = golden.get("reinforce_plus_plus");
    OfTokens actual =
        Advantages.reinforcePlusPlus(rows(plain.get("rewards")), plain.get("gamma").asDouble());
    assertRows(actual.advantages(), plain.get("advantages"));
    assertRows(actual.returns(), plain.get("returns"));

    JsonNode baseline = golden.get("reinforce_plus_plus_baseline");
    assertRows(
        Advantages.reinforcePlusPlusBaseline(
                row(baseline.get("rewards")),
                baseline.get("num_generations").asInt(),
                Golden.ints(baseline.get("lengths")))
            .advantages(),
        baseline.get("advantages"));

    JsonNode gae = golden.get("gae");
    OfTokens estimate =
        Advantages.generalized(
            rows(gae.get("rewards")),
            rows(gae.get("values")),
            gae.get("gamma").asDouble(),
            gae.get("lam").asDouble());
    assertRows(Advantages.whiten(estimate.advantages(), true), gae.get("whitened"));
    assertRows(estimate.returns(), gae.get("returns"));
  }

  @Test
  void controllerOfTheDivergence() {
    JsonNode given = golden.get("kl_controller");
    KlController controller =
        new KlController.Adaptive(
            given.get("init_kl_coef").asDouble(),
            given.get("target_kl").asDouble(),
            given.get("horizon").asDouble());
    assertThat(given.get("steps")).hasSize(7);
    for (JsonNode step : given.get("steps")) {
      controller = controller.after(step.get("kl").asDouble(), given.get("episodes").asInt());
      assertNumber(controller.coefficient(), step.get("coefficient"));
    }
  }

  @Test
  void runningMomentsAndLongCompletions() {
    RewardNormalizer normalizer =
        new RewardNormalizer(RewardNormalizer.Mode.RUNNING, 1, Moments.NONE);
    assertThat(golden.get("running_moments")).hasSize(3);
    for (JsonNode expected : golden.get("running_moments")) {
      double[] actual = normalizer.normalize(row(expected.get("scores")));
      assertNumber(normalizer.seen().mean(), expected.get("mean"));
      assertNumber(normalizer.seen().standardDeviation(), expected.get("std"));
      double first = expected.get("scores").get(0).asDouble() - expected.get("mean").asDouble();
      assertThat(actual[0]).isCloseTo(first / expected.get("std").asDouble(), within(1e-7));
    }
    JsonNode overlong = golden.get("soft_overlong");
    SoftOverlongPunishment punishment =
        new SoftOverlongPunishment(
            overlong.get("max_completion_length").asInt(),
            overlong.get("soft_punish_cache").asInt());
    for (int length = 0; length < overlong.get("punishments").size(); length++) {
      assertNumber(punishment.of(length), overlong.get("punishments").get(length));
    }
  }

  private static List<Experience> experiences(JsonNode given, boolean weighted) {
    double[][] old = rows(given.get("old_log_probs"));
    int[] lengths = new int[old.length];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = old[i].length;
    }
    double[][] advantages = Advantages.perToken(row(given.get("advantages")), lengths);
    List<Experience> examples = new ArrayList<>();
    for (int i = 0; i < old.length; i++) {
      examples.add(
          Padded.experience(
              old[i],
              advantages[i],
              given.has("reference") ? row(given.get("reference").get(i)) : null,
              weighted ? row(given.get("weights").get(i)) : null));
    }
    return examples;
  }

  private static double[] row(JsonNode numbers) {
    double[] result = new double[numbers.size()];
    for (int i = 0; i < result.length; i++) {
      result[i] = numbers.get(i).isNull() ? Double.NaN : numbers.get(i).asDouble();
    }
    return result;
  }

  private static double[][] rows(JsonNode rows) {
    double[][] result = new double[rows.size()][];
    for (int i = 0; i < result.length; i++) {
      result[i] = row(rows.get(i));
    }
    return result;
  }

  private static void assertRows(double[][] actual, JsonNode expected) {
    assertThat(actual.length).isEqualTo(expected.size());
    for (int i = 0; i < actual.length; i++) {
      assertRow(actual[i], expected.get(i));
    }
  }

  private static void assertRow(double[] actual, JsonNode expected) {
    assertThat(actual).containsExactly(row(expected), within(1e-12));
  }

  private static void assertNumber(double actual, JsonNode expected) {
    assertThat(actual).isCloseTo(expected.asDouble(), within(1e-12));
  }

  private static void assertMetric(Metrics metrics, String name, JsonNode expected) {
    assertThat(metrics.means().get(name))
        .as(name)
        .isCloseTo(expected.get(name).asDouble(), within(1e-12));
  }
}
