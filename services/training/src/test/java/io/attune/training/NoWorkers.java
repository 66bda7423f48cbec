package io.attune.training;

import io.quarkus.test.junit.QuarkusTestProfile;
import java.util.Map;

/** No job gets a place: tests bring candidates to the gate themselves. */
public final class NoWorkers implements QuarkusTestProfile {
  @Override
  public Map<String, String> getConfigOverrides() {
    return Map.ofEntries(
        Map.entry("attune.base-model", "/nonexistent"),
        Map.entry("attune.training.parallel-jobs", "0"),
        Map.entry("attune.training.gate.chunk-size", "8"),
        Map.entry("attune.training.gate.retry-delay", "50ms"),
        Map.entry("attune.training.gate.policy-margin", "0.05"),
        Map.entry("attune.training.trigger.line", "triggered"),
        Map.entry("attune.training.trigger.reward-line", "triggered-reward"),
        Map.entry("attune.training.trigger.dataset", "shop"),
        Map.entry("attune.training.trigger.ratings", "50"),
        Map.entry("attune.training.trigger.policy.arguments.learning_rate", "0.0005"));
  }
}
