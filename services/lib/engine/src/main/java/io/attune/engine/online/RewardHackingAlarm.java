package io.attune.engine.online;

import io.attune.engine.EngineException;
import io.attune.engine.train.Progress;
import java.util.Arrays;
import java.util.Locale;

/**
 * Stops a run whose policy has found out how to please its reward and not those whom the reward
 * stands for: the reward goes up, a held-out reward goes down (gold and proxy reward of Gao et al.
 * 2022, arXiv 2210.10760).
 *
 * <p>Each measurement is compared with the one in which the held-out reward was best, since a
 * policy that is optimised too far gets better before it gets worse. The best of T measurements is
 * best by luck, too, and every one of them is a chance of a false alarm; so the T-th must have
 * fallen beyond chance at the level 0.025/T². For that {@code z = sqrt(1.96² + 4 ln T)} standard
 * errors suffice: the normal tail beyond them is at most a T²-th of the tail beyond 1.96.
 *
 * <p>Decides by what the run's checkpoints keep. Single-threaded.
 */
final class RewardHackingAlarm {
  /** Fewer prompts say nothing of their spread. */
  static final int FEWEST_PROMPTS = 4;

  private static final double Z = 1.959964;
  private static final String PREFIX = "alarm/hacking/";
  private static final String SEEN = PREFIX + "measurements";
  private static final String STREAK = PREFIX + "streak";
  private static final String JUDGES = PREFIX + "judges";
  private static final String BEST_STEP = PREFIX + "best_step";
  private static final String GOOD_STEP = PREFIX + "good_step";
  private static final String BEST_REWARD = PREFIX + "best_reward";
  private static final String BEST_HELD_OUT = PREFIX + "best_held_out";
  private static final String NOW_REWARD = PREFIX + "reward";
  private static final String NOW_HELD_OUT = PREFIX + "held_out";

  private final int measurements;
  private final Progress progress;
  private double[] bestReward;
  private double[] bestHeldOut;

  /**
   * @param measurements in a row that stop the run; 0: never
   */
  RewardHackingAlarm(int measurements, Progress progress) {
    this.measurements = measurements;
    this.progress = progress;
    this.bestReward = recall(BEST_REWARD);
    this.bestHeldOut = recall(BEST_HELD_OUT);
    progress.vouch((int) progress.recall(GOOD_STEP, 0));
  }

  /**
   * Takes note of a measurement.
   *
   * @param done steps of the policy that was measured
   * @throws EngineException if it is of too few prompts
   */
  void take(int done, RewardMeasurement measured) {
    int prompts = measured.reward().length;
    if (prompts < FEWEST_PROMPTS) {
      throw new IllegalArgumentException(
          "a held-out reward is measured on %d prompts; at least %d are needed to tell a change from chance"
              .formatted(prompts, FEWEST_PROMPTS));
    }
    int judges = measured.judges().hashCode();
    boolean comparable = progress.recall(SEEN, 0) > 0 && progress.recall(JUDGES, 0) == judges;
    int seen = comparable ? (int) progress.recall(SEEN, 0) + 1 : 1;
    progress.remember(SEEN, seen);
    progress.remember(JUDGES, judges);
    progress.remember(NOW_REWARD, mean(measured.reward()));
    progress.remember(NOW_HELD_OUT, mean(measured.heldOut()));
    if (!comparable || mean(measured.heldOut()) > mean(bestHeldOut)) {
      progress.remember(BEST_STEP, done);
      bestReward = measured.reward();
      bestHeldOut = measured.heldOut();
      remember(BEST_REWARD, bestReward);
      remember(BEST_HELD_OUT, bestHeldOut);
      judge(done, false);
    } else {
      double z = Math.sqrt(Z * Z + 4 * Math.log(seen));
      judge(
          done,
          rise(bestReward, measured.reward(), measured.samePrompts()) > Z
              && rise(bestHeldOut, measured.heldOut(), measured.samePrompts()) < -z);
    }
  }

  private void judge(int done, boolean suspicious) {
    progress.remember(STREAK, suspicious ? progress.recall(STREAK, 0) + 1 : 0);
    if (!suspicious) {
      progress.remember(GOOD_STEP, done);
      progress.vouch(done);
    }
  }

  /**
   * Stops the run if the latest measurements ask for it.
   *
   * @param step that would be done next, from 1
   */
  void check(int step) {
    int streak = (int) progress.recall(STREAK, 0);
    if (measurements == 0 || streak < measurements) {
      return;
    }
    int good = (int) progress.recall(GOOD_STEP, 0);
    throw progress.stop(
        step,
        String.format(
            Locale.ROOT,
            "the policy pleases the reward alone: since step %d, after which the held-out reward was"
                + " best, the reward rose from %.4g to %.4g and the held-out reward fell from %.4g to"
                + " %.4g, for %d measurements in a row beyond chance",
            (int) progress.recall(BEST_STEP, 0),
            mean(bestReward),
            progress.recall(NOW_REWARD, 0),
            mean(bestHeldOut),
            progress.recall(NOW_HELD_OUT, 0),
            streak),
        good + 2, // the measured weights themselves were good
        "with a larger kl_coef or beta, fewer steps, or a reward model that has seen what the policy"
            + " writes now. alarm_reward_hacking ("
            + measurements
            + ") sets this limit; 0 switches it off");
  }

  /** By how many standard errors the mean is higher; infinite where there is no spread at all. */
  private static double rise(double[] before, double[] now, boolean samePrompts) {
    double difference = mean(now) - mean(before);
    double variance;
    if (samePrompts && before.length == now.length) {
      double[] differences = new double[now.length];
      Arrays.setAll(differences, i -> now[i] - before[i]);
      variance = varianceOfMean(differences);
    } else {
      variance = varianceOfMean(before) + varianceOfMean(now);
    }
    return difference == 0 ? 0 : difference / Math.sqrt(variance);
  }

  private static double varianceOfMean(double[] values) {
    double mean = mean(values);
    double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
    return squares / (values.length - 1) / values.length;
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).sum() / values.length;
  }

  private void remember(String name, double[] values) {
    progress.remember(name, values.length);
    for (int i = 0; i < values.length; i++) {
      progress.remember(name + "/" + i, values[i]);
    }
  }

  private double[] recall(String name) {
    double[] values = new double[(int) progress.recall(name, 0)];
    Arrays.setAll(values, i -> progress.recall(name + "/" + i, 0));
    return values;
  }
}
