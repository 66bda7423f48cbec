package io.attune.serving;

import io.attune.platform.error.PlatformException;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.line.LineConsumer;
import io.attune.platform.line.LineSwitch;
import io.attune.platform.line.LineVersion;
import io.attune.platform.line.Replica;
import io.attune.platform.line.ServedLines;
import io.attune.serving.generate.Admission;
import io.attune.serving.generate.Generator.LoadedAdapter;
import io.attune.training.v1.LineKind;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/**
 * Follows the policy lines, from start to shutdown. Ready when what the topic held at start has
 * been applied: before that a line's answers could come from a version long replaced.
 */
@Readiness
@ApplicationScoped
public class Lines implements HealthCheck, LineSwitch.Listener {

  private final ServedLines<LoadedAdapter> served;
  private final Admission admission;
  private final ServingPublisher publisher;
  private final MeterRegistry metrics;
  private final String replica;
  private final LineConsumer consumer;
  private final Map<LineVersion, AtomicLong> versions = new ConcurrentHashMap<>();

  public Lines(
      ServedLines<LoadedAdapter> served,
      LineSwitch.Loader<LoadedAdapter> loader,
      KafkaClients kafka,
      Admission admission,
      ServingPublisher publisher,
      MeterRegistry metrics,
      ServingConfig config) {
    this.served = served;
    this.admission = admission;
    this.publisher = publisher;
    this.metrics = metrics;
    this.replica = config.replica().orElseGet(Replica::name);
    // A group of its own for each replica: all of them read all of it.
    this.consumer =
        new LineConsumer(
            () -> kafka.consumer("serving-lines-" + replica, 500),
            new LineSwitch<>(LineKind.LINE_KIND_POLICY, served, loader, this),
            () -> served.completeWithBase(config.defaultLine()));
  }

  void start(@Observes StartupEvent started) {
    consumer.start();
  }

  void stop(@Observes ShutdownEvent stopping) {
    admission.drain();
    consumer.close();
  }

  @Override
  public void activated(LineVersion version) {
    versions
        .computeIfAbsent(
            LineVersion.base(version.tenant(), version.line()),
            line ->
                metrics.gauge(
                    "attune.serving.active.version",
                    Tags.of("tenant", line.tenant().name(), "line", line.line()),
                    new AtomicLong()))
        .set(version.version());
    publisher.activated(version, replica, null);
  }

  @Override
  public void failed(LineVersion version, PlatformException failure) {
    metrics
        .counter(
            "attune.serving.activation.failures",
            "tenant",
            version.tenant().name(),
            "line",
            version.line())
        .increment();
    publisher.activated(version, replica, failure);
  }

  @Override
  public HealthCheckResponse call() {
    boolean ready = consumer.caughtUp() && !admission.draining();
    var response = HealthCheckResponse.named("adapter lines").status(ready);
    // Names of lines are their tenants', and health is open to everybody.
    return response.withData("lines", served.size()).build();
  }
}
