package io.attune.reward;

import com.google.protobuf.Message;
import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Artifact;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStore;
import io.attune.platform.storage.ObjectStores;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.AdapterLineChanged;
import io.attune.training.v1.LineKind;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;

/** Publishes and releases reward models as training does. */
@ApplicationScoped
public class ReleasedModels {

  /** The tests' reward model. */
  static final Path FOLDER = Path.of("src/test/resources/reward");

  private final ObjectStores stores;
  private final Clock clock;
  private final KafkaProducer<String, byte[]> producer;

  ReleasedModels(ObjectStores stores, Clock clock, KafkaClients kafka) {
    this.stores = stores;
    this.clock = clock;
    this.producer = kafka.producer("released-models");
  }

  /** Publishes a folder under a digest of its own. */
  Artifact publish(Tenant tenant, Path folder, String name) {
    ObjectStore store = stores.of(tenant);
    Path staged = store.stage("adapters");
    try (Stream<Path> files = Files.list(folder)) {
      Files.writeString(staged.resolve("name"), name);
      for (Path file : files.toList()) {
        Files.copy(file, staged.resolve(file.getFileName()));
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    return store.publishFolder("adapters", staged);
  }

  static Adapter adapter(String line, long version, Artifact artifact) {
    return Adapter.newBuilder()
        .setVersion(
            AdapterVersion.newBuilder()
                .setLine(line)
                .setVersion(version)
                .setSha256(artifact.getSha256()))
        .setKind(LineKind.LINE_KIND_REWARD)
        .setArtifact(artifact)
        .build();
  }

  void release(Tenant tenant, Adapter active) {
    AdapterVersion version = active.getVersion();
    send(
        tenant,
        AdapterLineChanged.newBuilder()
            .setLine(version.getLine())
            .setKind(LineKind.LINE_KIND_REWARD)
            .setChange(AdapterLineChanged.Change.CHANGE_RELEASED)
            .setSubject(active)
            .setActive(active)
            .setRevision(version.getVersion())
            .build());
  }

  void send(Tenant tenant, Message event) {
    producer.send(
        EventRecords.encode(tenant, event, UUID.randomUUID().toString(), "test", clock.instant()));
    producer.flush();
  }

  @PreDestroy
  void close() {
    producer.close();
  }
}
