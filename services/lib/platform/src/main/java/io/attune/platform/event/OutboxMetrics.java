package io.attune.platform.event;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.quarkus.arc.properties.IfBuildProperty;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Clock;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.JdbiException;

/**
 * How many events wait in the outbox, and for how long the oldest. Both are of the schema, so that
 * all replicas tell the same. Read every ten seconds and not when they are asked for, so that a
 * database that is away takes no other metric with it; then both are not a number.
 */
@ApplicationScoped
@IfBuildProperty(name = "quarkus.datasource.db-kind", stringValue = "postgresql")
public class OutboxMetrics {

  private static final long EVERY_SECONDS = 10;

  private final Jdbi jdbi;
  private final Clock clock;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(run -> new Thread(run, "outbox-metrics"));
  private volatile double events = Double.NaN;
  private volatile double ageSeconds = Double.NaN;

  private record Waiting(long events, Optional<OffsetDateTime> oldest) {}

  OutboxMetrics(Jdbi jdbi, MeterRegistry registry, Clock clock) {
    this.jdbi = jdbi;
    this.clock = clock;
    registry.gauge("attune.outbox.events", this, metrics -> metrics.events);
    TimeGauge.builder("attune.outbox.age", this, TimeUnit.SECONDS, metrics -> metrics.ageSeconds)
        .description("For how long the oldest event waits to be sent")
        .register(registry);
  }

  void onStart(@Observes StartupEvent started) {
    var unused = timer.scheduleWithFixedDelay(this::look, 0, EVERY_SECONDS, TimeUnit.SECONDS);
  }

  void onStop(@Observes ShutdownEvent stopped) {
    timer.shutdownNow();
  }

  private void look() {
    try {
      Waiting waiting = jdbi.withHandle(OutboxMetrics::read);
      ageSeconds =
          waiting
              .oldest()
              .map(oldest -> Duration.between(oldest.toInstant(), clock.instant()))
              .map(age -> Math.max(0, age.toMillis() / 1000.0))
              .orElse(0.0);
      events = waiting.events();
    } catch (JdbiException away) {
      events = Double.NaN;
      ageSeconds = Double.NaN;
    }
  }

  private static Waiting read(org.jdbi.v3.core.Handle handle) {
    return handle
        .createQuery("SELECT count(*) AS events, min(event_time) AS oldest FROM outbox")
        .map(
            (row, context) ->
                new Waiting(
                    row.getLong("events"),
                    Optional.ofNullable(row.getObject("oldest", OffsetDateTime.class))))
        .one();
  }
}
