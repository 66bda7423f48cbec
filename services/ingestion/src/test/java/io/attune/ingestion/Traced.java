package io.attune.ingestion;

import io.attune.testkit.RecordedSpans;
import io.quarkus.test.junit.QuarkusTestProfile;
import java.util.Map;

/** Traces are recorded. */
public final class Traced implements QuarkusTestProfile {
  @Override
  public Map<String, String> getConfigOverrides() {
    return Map.of(
        RecordedSpans.SETTING, RecordedSpans.ENDPOINT, "quarkus.otel.bsp.schedule.delay", "50ms");
  }
}
