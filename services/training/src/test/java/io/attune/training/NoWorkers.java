package io.attune.training;

import io.quarkus.test.junit.QuarkusTestProfile;
import java.util.Map;

/** No job gets a place: tests bring candidates to the gate themselves. */
public final class NoWorkers implements QuarkusTestProfile {
  @Override
  public Map<String, String> getConfigOverrides() {
    return Map.of(
        "attune.base-model", "/nonexistent",
        "attune.training.parallel-jobs", "0",
        "attune.training.gate.chunk-size", "8",
        "attune.training.gate.retry-delay", "50ms",
        "attune.training.rollouts.retry-delay", "50ms",
        "attune.training.gate.policy-margin", "0.05",
        "attune.training.trigger.line", "triggered",
        "attune.training.trigger.reward-line", "triggered-reward",
        "attune.training.trigger.dataset", "shop",
        "attune.training.trigger.ratings", "50",
        "attune.training.trigger.policy.arguments.learning_rate", "0.0005");
  }
}
