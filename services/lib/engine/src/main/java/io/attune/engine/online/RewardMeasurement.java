package io.attune.engine.online;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What some completions are worth by the reward that is learnt from, and by one that is not.
 * Completions of a prompt are no independent evidence, their mean is: all values are of prompts.
 *
 * @param reward of each prompt
 * @param heldOut likewise by the held-out reward
 * @param samePrompts whether every measurement is of these prompts, so that two can be compared
 *     prompt by prompt
 * @param judges who scored; measurements by others are not compared with this one
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never kept
record RewardMeasurement(double[] reward, double[] heldOut, boolean samePrompts, String judges) {
  /** The name of the held-out reward's mean among metrics. */
  static final String HELD_OUT = "held_out_reward";

  /**
   * @param each completions of a prompt, which are side by side
   */
  static RewardMeasurement ofSamePrompts(double[] reward, double[] heldOut, int each) {
    return new RewardMeasurement(means(reward, each), means(heldOut, each), true, "");
  }

  /** What came with completions from elsewhere; null unless all have a held-out score. */
  static @Nullable RewardMeasurement ofOrigins(List<Rollout> written, double[] reward, int each) {
    double[] heldOut = new double[reward.length];
    for (int i = 0; i < heldOut.length; i++) {
      Rollout.Origin origin = written.get(i).origin();
      if (origin == null || origin.heldOutScore() == null) {
        return null;
      }
      heldOut[i] = origin.heldOutScore();
    }
    String judges = written.get(0).origin().judges();
    return new RewardMeasurement(means(reward, each), means(heldOut, each), false, judges);
  }

  double heldOutMean() {
    return Arrays.stream(heldOut).average().orElse(Double.NaN);
  }

  private static double[] means(double[] values, int each) {
    double[] means = new double[values.length / each];
    for (int i = 0; i < values.length; i++) {
      means[i / each] += values[i] / each;
    }
    return means;
  }
}
