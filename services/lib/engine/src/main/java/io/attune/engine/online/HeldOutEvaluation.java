package io.attune.engine.online;

import java.util.Arrays;
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
   * @param divergence from the reference
   * @param written to the prompts, those of a prompt side by side
   * @param each completions of each prompt
   */
  static HeldOutEvaluation of(
      Rewards rewards,
      @Nullable Rewards heldOut,
      Divergence divergence,
      List<Rollout> written,
      int each) {
    Rewards.Scores scores = rewards.score(written);
    Map<String, Double> metrics = new TreeMap<>(scores.metrics().means());
    metrics.putAll(Lengths.of(written));
    metrics.put("kl", Arrays.stream(divergence.of(written)).average().orElse(0));
    metrics.put("rows", (double) (written.size() / each));
    if (heldOut == null) {
      return new HeldOutEvaluation(metrics, null);
    }
    RewardMeasurement measured =
        RewardMeasurement.ofSamePrompts(scores.total(), heldOut.score(written).total(), each);
    metrics.put(RewardMeasurement.HELD_OUT, measured.heldOutMean());
    return new HeldOutEvaluation(metrics, measured);
  }
}
