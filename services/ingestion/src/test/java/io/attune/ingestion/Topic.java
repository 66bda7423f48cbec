package io.attune.ingestion;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Message;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.identity.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.eclipse.microprofile.config.ConfigProvider;

/** Writes to and reads from the broker of the running test, as other programs would. */
final class Topic implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final String broker =
      ConfigProvider.getConfig().getValue("kafka.bootstrap.servers", String.class);
  private final KafkaProducer<String, byte[]> producer =
      new KafkaProducer<>(
          Map.of("bootstrap.servers", broker), new StringSerializer(), new ByteArraySerializer());

  /** Sends lines as kcat does: a value, nothing else. */
  void sendLines(String... lines) {
    for (String line : lines) {
      producer.send(new ProducerRecord<>("feedback.ratings.v1", line.getBytes(UTF_8)));
    }
    producer.flush();
  }

  void send(ProducerRecord<String, byte[]> record) {
    producer.send(record);
    producer.flush();
  }

  void sendEvent(Message event) {
    sendEvent(Tenant.DEFAULT, event);
  }

  void sendEvent(Tenant tenant, Message event) {
    send(EventRecords.encode(tenant, event, UUID.randomUUID().toString(), "test", Instant.EPOCH));
  }

  /** Reads a topic from its beginning until {@code count} of its events are wanted ones. */
  <M extends Message> List<M> await(Class<M> type, int count, Predicate<M> wanted) {
    List<M> found = new ArrayList<>();
    for (ConsumerRecord<String, byte[]> record : awaitRecords(type, count, wanted)) {
      found.add(EventRecords.decode(record, type));
    }
    return found;
  }

  <M extends Message> List<ConsumerRecord<String, byte[]>> awaitRecords(
      Class<M> type, int count, Predicate<M> wanted) {
    List<ConsumerRecord<String, byte[]>> found = new ArrayList<>();
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            broker,
            "group.id",
            UUID.randomUUID().toString(),
            "auto.offset.reset",
            "earliest",
            "metadata.max.age.ms",
            500);
    try (var consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(topicOf(type)));
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (found.size() < count) {
        if (System.nanoTime() > end) {
          throw new AssertionError("%d of %d %s arrived".formatted(found.size(), count, type));
        }
        for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          if (wanted.test(EventRecords.decode(record, type))) {
            found.add(record);
          }
        }
      }
    }
    return found;
  }

  private static String topicOf(Class<? extends Message> type) {
    try {
      Message prototype = (Message) type.getMethod("getDefaultInstance").invoke(null);
      return Events.topic(prototype.getDescriptorForType());
    } catch (ReflectiveOperationException impossible) {
      throw new IllegalArgumentException(impossible);
    }
  }

  @Override
  public void close() {
    producer.close();
  }
}
