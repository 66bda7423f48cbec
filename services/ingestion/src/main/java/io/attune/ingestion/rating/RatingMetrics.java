package io.attune.ingestion.rating;

import io.attune.feedback.v1.RatingOutcome;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** What the platform measures about ratings, after their commit. */
@ApplicationScoped
public class RatingMetrics {

  private final MeterRegistry registry;
  private final Timer latency;
  private final Clock clock;

  RatingMetrics(MeterRegistry registry, Clock clock) {
    this.registry = registry;
    this.clock = clock;
    this.latency =
        Timer.builder("attune.ratings.commit.latency")
            .description("From the record's time to its committed row")
            .publishPercentiles(0.5, 0.99)
            .register(registry);
  }

  void committed(List<Arrival> arrivals, List<RatingOutcome> outcomes) {
    long now = clock.millis();
    for (int i = 0; i < arrivals.size(); i++) {
      long millis = now - arrivals.get(i).origin().received().toEpochMilli();
      latency.record(Duration.ofMillis(Math.max(millis, 0)));
      counter(outcomes.get(i)).increment();
    }
  }

  private io.micrometer.core.instrument.Counter counter(RatingOutcome outcome) {
    String state = outcome.getState().name().substring("STATE_".length()).toLowerCase(Locale.ROOT);
    return registry.counter("attune.ratings", "outcome", state);
  }
}
