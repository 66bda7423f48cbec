package io.attune.engine.online;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.optim.LearningRate;
import io.attune.engine.train.AlarmSettings;
import io.attune.engine.train.EvaluationArguments;
import io.attune.engine.train.OptimizerSettings;
import io.attune.engine.train.Progress;
import io.attune.engine.train.RunContext;
import io.attune.engine.train.TrainingArguments;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RewardHackingAlarmTest {
  private static final int PROMPTS = 64;

  @TempDir Path folder;

  /** The proxy reward of Gao et al.'s figure 1 rises for ever, the gold one to a peak. */
  private static final IntToDoubleFunction PROXY = t -> Math.sqrt(t);

  private static final IntToDoubleFunction GOLD = t -> Math.sqrt(t) * (1.6 - 0.4 * Math.sqrt(t));

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theFallOfTheGoldRewardIsNoticedSoonAfterItsPeak(boolean samePrompts) {
    RewardHackingAlarm alarm = alarm(2);
    int stopped = run(alarm, 40, PROXY, GOLD, samePrompts, new Random(1));

    // The peak is at t = 4; what is noticed must be beyond the noise.
    assertThat(stopped).isBetween(6, samePrompts ? 12 : 20);
    assertThatThrownBy(() -> alarm.check(stopped * 10 + 1))
        .isInstanceOfSatisfying(
            EngineException.class,
            e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.DIVERGED))
        .hasMessageContainingAll(
            "step " + (stopped * 10 + 1) + ": the policy pleases the reward alone",
            "the held-out reward fell from",
            "for 2 measurements in a row",
            "alarm_reward_hacking (2)");
  }

  @Test
  void pairsOfEqualPromptsShowMore() {
    int paired = run(alarm(2), 60, PROXY, GOLD, true, new Random(2));
    int unpaired = run(alarm(2), 60, PROXY, GOLD, false, new Random(2));

    assertThat(paired).isLessThan(unpaired);
  }

  /** A policy that has learnt all there is to learn, on a reward that goes on rising. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aGoldRewardThatStaysIsNoAlarm(boolean samePrompts) {
    int alarms = 0;
    for (int seed = 0; seed < 100; seed++) {
      if (run(alarm(2), 100, t -> t, t -> 0.7, samePrompts, new Random(seed)) > 0) {
        alarms++;
      }
    }
    assertThat(alarms).as("of 100 runs of 100 measurements").isLessThanOrEqualTo(1);
  }

  @Test
  void whatRisesOrFallsTogetherIsNoAlarm() {
    assertThat(run(alarm(2), 50, t -> t, t -> t / 50.0, true, new Random(3))).isZero();
    assertThat(run(alarm(2), 50, t -> -t, t -> -t / 50.0, true, new Random(3))).isZero();
  }

  @Test
  void switchedOffItNeverStops() {
    assertThat(run(alarm(0), 40, PROXY, GOLD, true, new Random(1))).isZero();
  }

  @Test
  void scoresOfAnotherRewardModelAreNotCompared() {
    RewardHackingAlarm alarm = alarm(1);
    Random random = new Random(4);
    for (int t = 0; t < 20; t++) {
      // Every refreshed model is stricter, and on another scale.
      int version = t / 5;
      alarm.take(
          t,
          new RewardMeasurement(
              values(100.0 * version + t % 5, random),
              values(-10.0 * version, random),
              false,
              "reward@" + version));
    }
    assertThatCode(() -> alarm.check(21)).doesNotThrowAnyException();
  }

  @Test
  void whatItKnowsIsInTheProgressOfTheRun() {
    Progress progress = progress();
    int stopped = 0;
    Random random = new Random(1);
    for (int t = 0; stopped == 0; t++) {
      RewardHackingAlarm resumed = new RewardHackingAlarm(2, progress);
      resumed.take(t * 10, measurement(t, PROXY, GOLD, true, random));
      stopped = stops(new RewardHackingAlarm(2, progress), t) ? t : 0;
    }
    assertThat(stopped).isEqualTo(run(alarm(2), 40, PROXY, GOLD, true, new Random(1)));
  }

  @Test
  void tooFewPromptsAreRefused() {
    double[] three = {1, 2, 3};
    assertThatThrownBy(() -> alarm(1).take(0, new RewardMeasurement(three, three, true, "")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 prompts; at least 4");
  }

  /** The measurement at which the run stops; 0 for none. */
  private static int run(
      RewardHackingAlarm alarm,
      int measurements,
      IntToDoubleFunction proxy,
      IntToDoubleFunction gold,
      boolean samePrompts,
      Random random) {
    for (int t = 0; t < measurements; t++) {
      alarm.take(t * 10, measurement(t, proxy, gold, samePrompts, random));
      if (stops(alarm, t)) {
        return t;
      }
    }
    return 0;
  }

  private static boolean stops(RewardHackingAlarm alarm, int t) {
    try {
      alarm.check(t * 10 + 1);
      return false;
    } catch (EngineException stopped) {
      return true;
    }
  }

  private static RewardMeasurement measurement(
      int t,
      IntToDoubleFunction proxy,
      IntToDoubleFunction gold,
      boolean samePrompts,
      Random random) {
    return new RewardMeasurement(
        values(proxy.applyAsDouble(t), random),
        values(gold.applyAsDouble(t), samePrompts ? new Random(99) : random, random),
        samePrompts,
        "");
  }

  private static double[] values(double mean, Random random) {
    return values(mean, random, random);
  }

  /** Prompts differ much more than what is written to one of them. */
  private static double[] values(double mean, Random ofPrompts, Random ofAnswers) {
    double[] values = new double[PROMPTS];
    Arrays.setAll(
        values, i -> mean + 0.5 * ofPrompts.nextGaussian() + 0.2 * ofAnswers.nextGaussian());
    return values;
  }

  private RewardHackingAlarm alarm(int measurements) {
    return new RewardHackingAlarm(measurements, progress());
  }

  private Progress progress() {
    return new Progress(
        new RunContext(folder, "run", step -> {}, notice -> {}, () -> false),
        new TrainingArguments(
            1e-3,
            LearningRate.named("constant", Map.of()),
            0,
            1,
            1,
            0,
            1,
            OptimizerSettings.adamW(0),
            1,
            false,
            0,
            1),
        EvaluationArguments.NONE,
        AlarmSettings.DEFAULT,
        Map.of(),
        1_000,
        1_000);
  }
}
