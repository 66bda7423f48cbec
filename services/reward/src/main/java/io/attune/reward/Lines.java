package io.attune.reward;

import io.attune.platform.error.PlatformException;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.line.LineConsumer;
import io.attune.platform.line.LineSwitch;
import io.attune.platform.line.LineVersion;
import io.attune.platform.line.Replica;
import io.attune.platform.line.ServedLines;
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
 * Follows the reward lines, from start to shutdown. Ready when what the topic held at start has
 * been applied; a released reward model is not needed for that, since there is none at first.
 */
@Readiness
@ApplicationScoped
public class Lines implements HealthCheck, LineSwitch.Listener {

  private final ServedLines<Scorer.Model> served;
  private final MeterRegistry metrics;
  private final LineConsumer consumer;
  private final Map<LineVersion, AtomicLong> versions = new ConcurrentHashMap<>();

  public Lines(
      ServedLines<Scorer.Model> served,
      ModelLoader loader,
      KafkaClients kafka,
      MeterRegistry metrics,
      RewardConfig config) {
    this.served = served;
    this.metrics = metrics;
    String replica = config.replica().orElseGet(Replica::name);
    // A group of its own for each replica: all of them read all of it.
    this.consumer =
        new LineConsumer(
            () -> kafka.consumer("reward-lines-" + replica, 500),
            new LineSwitch<>(LineKind.LINE_KIND_REWARD, served, loader, this),
            () -> served.completeWithBase(config.defaultLine()));
  }

  void start(@Observes StartupEvent started) {
    consumer.start();
  }

  void stop(@Observes ShutdownEvent stopping) {
    consumer.close();
  }

  @Override
  public void activated(LineVersion version) {
    versions
        .computeIfAbsent(
            LineVersion.base(version.tenant(), version.line()),
            line ->
                metrics.gauge(
                    "attune.reward.active.version",
                    Tags.of("tenant", line.tenant().name(), "line", line.line()),
                    new AtomicLong()))
        .set(version.version());
  }

  @Override
  public void failed(LineVersion version, PlatformException failure) {
    metrics
        .counter(
            "attune.reward.activation.failures",
            "tenant",
            version.tenant().name(),
            "line",
            version.line())
        .increment();
  }

  @Override
  public HealthCheckResponse call() {
    var response = HealthCheckResponse.named("reward lines").status(consumer.caughtUp());
    // Names of lines are their tenants', and health is open to everybody.
    return response.withData("lines", served.size()).build();
  }
}
