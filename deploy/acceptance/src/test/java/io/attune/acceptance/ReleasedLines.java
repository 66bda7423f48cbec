package io.attune.acceptance;

import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Artifact;
import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.FolderStores;
import io.attune.platform.storage.ObjectStore;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.AdapterLineChanged;
import io.attune.training.v1.LineKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Releases weights that are there already, with the files and the event that training makes. */
final class ReleasedLines {
  private final FolderStores stores;
  private final String bootstrap;

  ReleasedLines(Path data, String bootstrap) {
    this.stores = new FolderStores(data.resolve("storage"));
    this.bootstrap = bootstrap;
  }

  /**
   * Makes version 1 of a line the active one.
   *
   * @param weights the adapter's folder
   */
  void release(Tenant tenant, String line, LineKind kind, Path weights) throws Exception {
    Artifact artifact = publish(stores.of(tenant), weights);
    Adapter adapter =
        Adapter.newBuilder()
            .setVersion(
                AdapterVersion.newBuilder()
                    .setLine(line)
                    .setVersion(1)
                    .setSha256(artifact.getSha256()))
            .setKind(kind)
            .setArtifact(artifact)
            .build();
    AdapterLineChanged released =
        AdapterLineChanged.newBuilder()
            .setLine(line)
            .setKind(kind)
            .setChange(AdapterLineChanged.Change.CHANGE_RELEASED)
            .setSubject(adapter)
            .setActive(adapter)
            .setRevision(1)
            .build();
    try (KafkaProducer<String, byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrap),
            new StringSerializer(),
            new ByteArraySerializer())) {
      String id = UUID.randomUUID().toString();
      producer.send(EventRecords.encode(tenant, released, id, "acceptance", Instant.now())).get();
    }
  }

  private static Artifact publish(ObjectStore store, Path weights) throws IOException {
    Path staged = store.stage("adapters");
    List<Path> files;
    try (Stream<Path> all = Files.list(weights)) {
      files = all.toList();
    }
    for (Path file : files) {
      Files.copy(file, staged.resolve(file.getFileName()));
    }
    return store.publishFolder("adapters", staged);
  }
}
