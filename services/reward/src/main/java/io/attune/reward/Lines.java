package io.attune.reward;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.line.LineConsumer;
import io.attune.platform.line.LineSwitch;
import io.attune.platform.line.LineVersion;
import io.attune.platform.line.Release;
import io.attune.platform.line.Replica;
import io.attune.platform.line.ServedLines;
import io.attune.platform.storage.ObjectStore;
import io.attune.training.v1.LineKind;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.nio.file.Path;
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
  private final ObjectStore store;
  private final Scorer scorer;
  private final MeterRegistry metrics;
  private final LineConsumer consumer;
  private final Map<String, AtomicLong> versions = new ConcurrentHashMap<>();

  public Lines(
      ServedLines<Scorer.Model> served,
      ObjectStore store,
      Scorer scorer,
      KafkaClients kafka,
      MeterRegistry metrics,
      RewardConfig config) {
    this.served = served;
    this.store = store;
    this.scorer = scorer;
    this.metrics = metrics;
    String replica = config.replica().orElseGet(Replica::name);
    // A group of its own for each replica: all of them read all of it.
    this.consumer =
        new LineConsumer(
            () -> kafka.consumer("reward-lines-" + replica, 500),
            new LineSwitch<>(LineKind.LINE_KIND_REWARD, served, this::load, this),
            () -> served.completeWithBase(config.defaultLine()));
  }

  void start(@Observes StartupEvent started) {
    consumer.start();
  }

  void stop(@Observes ShutdownEvent stopping) {
    consumer.close();
  }

  private Scorer.Model load(Release release) {
    Path folder = store.open(release.artifact());
    String contract = release.contractSha256();
    // An encoder reads texts by a tokenizer of its own.
    if (Scorer.isAdapter(folder)
        && !contract.isEmpty()
        && !contract.equals(scorer.contractSha256())) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INCOMPATIBLE,
          "Version %s was trained with another tokenizer, chat template or end-of-sequence tokens than this base model's (contract %s, here %s)."
              .formatted(release.version(), contract, scorer.contractSha256()));
    }
    return scorer.load(folder);
  }

  @Override
  public void activated(LineVersion version) {
    versions
        .computeIfAbsent(
            version.line(),
            line ->
                metrics.gauge(
                    "attune.reward.active.version", Tags.of("line", line), new AtomicLong()))
        .set(version.version());
  }

  @Override
  public void failed(LineVersion version, PlatformException failure) {
    metrics.counter("attune.reward.activation.failures", "line", version.line()).increment();
  }

  @Override
  public HealthCheckResponse call() {
    var response = HealthCheckResponse.named("reward lines").status(consumer.caughtUp());
    served.versions().forEach((line, version) -> response.withData(line, version.version()));
    return response.build();
  }
}
