package io.attune.serving;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Message;
import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Artifact;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStore;
import io.attune.platform.storage.ObjectStores;
import io.attune.serving.v1.InferenceServiceGrpc;
import io.attune.testkit.TestTokens;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.AdapterLineChanged;
import io.attune.training.v1.LineKind;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.arc.Arc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.eclipse.microprofile.config.ConfigProvider;

/** What the tests of the running service share: a caller, a store with adapters, the broker. */
final class Fixture implements AutoCloseable {

  static final Path ADAPTERS = Path.of("src/test/resources/adapters");

  /** About as many as the test model's context of 128 leaves room for. */
  static final int MANY_TOKENS = 100;

  private final ManagedChannel channel =
      NettyChannelBuilder.forAddress(url().getHost(), url().getPort()).usePlaintext().build();
  private final KafkaClients kafka = bean(KafkaClients.class);
  private final KafkaProducer<String, byte[]> producer = kafka.producer("test");
  private final ObjectStores stores = bean(ObjectStores.class);

  static <T> T bean(Class<T> type) {
    return Arc.container().instance(type).get();
  }

  static URI url() {
    return URI.create(ConfigProvider.getConfig().getValue("test.url", String.class));
  }

  /** How many answers ended in this way so far. */
  static double answers(String outcome) {
    return bean(MeterRegistry.class)
        .find("attune.serving.answers")
        .tag("outcome", outcome)
        .counters()
        .stream()
        .mapToDouble(Counter::count)
        .sum();
  }

  static String token() {
    return token(Tenant.DEFAULT);
  }

  static String token(Tenant tenant) {
    TestTokens tokens = TestTokens.ofRunningTest();
    return tokens.token(tokens.claims("rita", Set.of(Roles.RATER)).withTenant(tenant.name()));
  }

  InferenceServiceGrpc.InferenceServiceBlockingStub blocking() {
    return blocking(Tenant.DEFAULT);
  }

  InferenceServiceGrpc.InferenceServiceBlockingStub blocking(Tenant tenant) {
    return InferenceServiceGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(bearer(tenant)));
  }

  InferenceServiceGrpc.InferenceServiceStub async() {
    return InferenceServiceGrpc.newStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(bearer(Tenant.DEFAULT)));
  }

  private static Metadata bearer(Tenant tenant) {
    var headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
        "Bearer " + token(tenant));
    return headers;
  }

  /** Publishes a folder of the test resources as training would. */
  Artifact publish(Path adapter) {
    return publish(Tenant.DEFAULT, adapter);
  }

  Artifact publish(Tenant tenant, Path adapter) {
    ObjectStore store = stores.of(tenant);
    Path staged = store.stage("adapters");
    try (Stream<Path> files = Files.list(adapter)) {
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
        .setVersion(version(line, version, artifact))
        .setKind(LineKind.LINE_KIND_POLICY)
        .setArtifact(artifact)
        .build();
  }

  static AdapterVersion version(String line, long version, Artifact artifact) {
    return AdapterVersion.newBuilder()
        .setLine(line)
        .setVersion(version)
        .setSha256(artifact.getSha256())
        .build();
  }

  /** Says that the line's active version is this one. */
  void release(String line, long revision, Adapter active) {
    release(Tenant.DEFAULT, line, revision, active);
  }

  void release(Tenant tenant, String line, long revision, Adapter active) {
    send(
        tenant,
        AdapterLineChanged.newBuilder()
            .setLine(line)
            .setKind(LineKind.LINE_KIND_POLICY)
            .setChange(AdapterLineChanged.Change.CHANGE_RELEASED)
            .setSubject(active)
            .setActive(active)
            .setRevision(revision)
            .build());
  }

  void send(Message event) {
    send(Tenant.DEFAULT, event);
  }

  void send(Tenant tenant, Message event) {
    producer.send(
        EventRecords.encode(
            tenant, event, UUID.randomUUID().toString(), "test", bean(Clock.class).instant()));
    producer.flush();
  }

  /** Reads a topic from its beginning until {@code count} events match. */
  <M extends Message> List<M> read(Class<M> type, int count, Predicate<M> wanted) {
    var found = new ArrayList<M>();
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    try (KafkaConsumer<String, byte[]> consumer =
        kafka.consumer(UUID.randomUUID().toString(), 500)) {
      consumer.subscribe(List.of(topic(type)));
      while (found.size() < count && System.nanoTime() < end) {
        for (var kafkaRecord : consumer.poll(Duration.ofMillis(200))) {
          M event = EventRecords.decode(kafkaRecord, type);
          if (wanted.test(event)) {
            found.add(event);
          }
        }
      }
    }
    return found;
  }

  /** The tenants of the first event that is wanted: one. */
  <M extends Message> List<Tenant> tenants(Class<M> type, Predicate<M> wanted) {
    var found = new ArrayList<Tenant>();
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    try (KafkaConsumer<String, byte[]> consumer =
        kafka.consumer(UUID.randomUUID().toString(), 500)) {
      consumer.subscribe(List.of(topic(type)));
      while (found.isEmpty() && System.nanoTime() < end) {
        for (var kafkaRecord : consumer.poll(Duration.ofMillis(200))) {
          if (wanted.test(EventRecords.decode(kafkaRecord, type))) {
            found.add(EventRecords.tenant(kafkaRecord));
          }
        }
      }
    }
    return found;
  }

  private static String topic(Class<? extends Message> type) {
    return Events.topic(
        com.google.protobuf.Internal.getDefaultInstance(type).getDescriptorForType());
  }

  /** What transformers and peft answer: see make_adapters.py. */
  static JsonNode expected(String adapter, int prompt) {
    try {
      JsonNode all = new ObjectMapper().readTree(ADAPTERS.resolve("expected.json").toFile());
      return all.path("answers").path(adapter).path(prompt);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  static List<Integer> ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::intValue).toList();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    producer.close();
  }
}
