package io.attune.training;

import com.google.protobuf.Message;
import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.eclipse.microprofile.config.ConfigProvider;

/** The broker of the running test, as another service sees it. */
final class Topic {
  private Topic() {}

  /** Reads a topic from its beginning, as a consumer group of its own. */
  static KafkaConsumer<String, byte[]> reader(String topic) {
    KafkaConsumer<String, byte[]> reader =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers", servers(),
                "group.id", "test-" + UUID.randomUUID(),
                "auto.offset.reset", "earliest",
                "metadata.max.age.ms", "500",
                "isolation.level", "read_committed"),
            new StringDeserializer(),
            new ByteArrayDeserializer());
    reader.subscribe(List.of(topic));
    return reader;
  }

  /** The next events of a type, as many as there are. */
  static <M extends Message> List<M> poll(KafkaConsumer<String, byte[]> reader, Class<M> type) {
    List<M> events = new ArrayList<>();
    for (ConsumerRecord<String, byte[]> one : reader.poll(Duration.ofMillis(200))) {
      events.add(EventRecords.decode(one, type));
    }
    return events;
  }

  /** Sends events as another service would. */
  static void send(String source, List<? extends Message> events) {
    send(source, events, event -> UUID.randomUUID().toString());
  }

  /** Sends events with ids of the sender's choice: equal ones are one event. */
  static <M extends Message> void send(String source, List<M> events, Function<M, String> id) {
    try (KafkaProducer<String, byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", servers()),
            new StringSerializer(),
            new ByteArraySerializer())) {
      for (M event : events) {
        producer.send(
            EventRecords.encode(Tenant.DEFAULT, event, id.apply(event), source, Instant.now()));
      }
      producer.flush();
    }
  }

  private static String servers() {
    return ConfigProvider.getConfig().getValue("kafka.bootstrap.servers", String.class);
  }
}
