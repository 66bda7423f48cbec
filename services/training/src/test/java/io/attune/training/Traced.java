package io.attune.training;

import io.attune.testkit.RecordedSpans;
import io.quarkus.test.junit.QuarkusTestProfile;
import java.util.HashMap;
import java.util.Map;

/** Traces are recorded. */
final class Traced {
  private Traced() {}

  private static Map<String, String> with(QuarkusTestProfile other) {
    Map<String, String> settings = new HashMap<>(other.getConfigOverrides());
    settings.put(RecordedSpans.SETTING, RecordedSpans.ENDPOINT);
    settings.put("quarkus.otel.bsp.schedule.delay", "50ms");
    return settings;
  }

  /** No job gets a place. */
  public static final class AtTheGate implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
      return with(new NoWorkers());
    }
  }

  /** Ratings start jobs, and jobs their processes. */
  public static final class WithWorkers implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
      Map<String, String> settings = with(new NoWorkers());
      settings.putAll(new Workers().getConfigOverrides());
      settings.remove("attune.training.parallel-jobs");
      return settings;
    }
  }
}
