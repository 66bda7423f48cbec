package io.attune.training;

import io.quarkus.test.junit.QuarkusTestProfile;
import java.util.Map;

/** Jobs run in processes of their own, on data that is far too little to learn from. */
public final class Workers implements QuarkusTestProfile {
  @Override
  public Map<String, String> getConfigOverrides() {
    return Map.of(
        "attune.base-model", "/nonexistent",
        "attune.training.worker.heap", "256m",
        "attune.training.worker.jvm-options", "-XX:TieredStopAtLevel=1");
  }
}
