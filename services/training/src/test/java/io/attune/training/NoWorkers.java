package io.attune.training;

import static java.util.Map.entry;

import io.quarkus.test.junit.QuarkusTestProfile;
import java.util.Map;

/** No job gets a place: tests bring candidates to the gate themselves. */
public final class NoWorkers implements QuarkusTestProfile {
  @Override
  public Map<String, String> getConfigOverrides() {
    return Map.ofEntries(
        entry("attune.base-model", "/nonexistent"),
        entry("attune.training.parallel-jobs", "0"),
        entry("attune.training.gate.chunk-size", "8"),
        entry("attune.training.gate.retry-delay", "50ms"),
        entry("attune.training.rollouts.retry-delay", "50ms"),
        entry("attune.training.gate.policy-margin", "0.05"),
        entry("attune.quota.tenants.bounded.open-jobs", "1"),
        entry("attune.training.trigger.line", "triggered"),
        entry("attune.training.trigger.reward-line", "triggered-reward"),
        entry("attune.training.trigger.dataset", "shop"),
        entry("attune.training.trigger.ratings", "50"),
        entry("attune.training.trigger.policy.arguments.learning_rate", "0.0005"));
  }
}
