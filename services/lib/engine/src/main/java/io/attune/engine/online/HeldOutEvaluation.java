package io.attune.engine.online;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a policy writes to held-out prompts is worth.
 *
 * @param measured by the held-out reward beside the one that is learnt from; null without one
 */
record HeldOutEvaluation(Map<String, Double> metrics, @Nullable RewardMeasurement measured) {

  /**
   * @param heldOut null for none
   * @param each completions of each prompt
   */
  static HeldOutEvaluation of(
      Rewards rewards,
      @Nullable Rewards heldOut,
      RolloutSource rollouts,
      List<Prompt> prompts,
      int each) {
    List<Rollout> written = rollouts.write(prompts, each, "held-out", 0);
    Rewards.Scores scores = rewards.score(written);
    Map<String, Double> metrics = new TreeMap<>(scores.metrics().means());
    metrics.putAll(Lengths.of(written));
    metrics.put("rows", (double) prompts.size());
    if (heldOut == null) {
      return new HeldOutEvaluation(metrics, null);
    }
    RewardMeasurement measured =
        RewardMeasurement.ofSamePrompts(scores.total(), heldOut.score(written).total(), each);
    metrics.put(RewardMeasurement.HELD_OUT, measured.heldOutMean());
    return new HeldOutEvaluation(metrics, measured);
  }
}
