package io.attune.acceptance.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * A topic as it is, by the way that nothing disturbs. Nobody writes transactions, so that offsets
 * count records.
 */
final class Log {
  private final Map<String, Object> settings;

  Log(int port) {
    this.settings = Map.of("bootstrap.servers", "127.0.0.1:" + port, "enable.auto.commit", "false");
  }

  /** How many records a topic holds. */
  long size(String topic) {
    try (KafkaConsumer<String, byte[]> reader = reader()) {
      return reader.endOffsets(partitions(reader, topic)).values().stream()
          .mapToLong(end -> end)
          .sum();
    }
  }

  /** All records of a topic. */
  List<ConsumerRecord<String, byte[]>> read(String topic) {
    List<ConsumerRecord<String, byte[]>> all = new ArrayList<>();
    try (KafkaConsumer<String, byte[]> reader = reader()) {
      List<TopicPartition> partitions = partitions(reader, topic);
      reader.assign(partitions);
      reader.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
      while (ends.entrySet().stream()
          .anyMatch(end -> reader.position(end.getKey()) < end.getValue())) {
        reader.poll(Duration.ofMillis(200)).forEach(all::add);
      }
    }
    return all;
  }

  private KafkaConsumer<String, byte[]> reader() {
    return new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
  }

  private static List<TopicPartition> partitions(
      KafkaConsumer<String, byte[]> reader, String topic) {
    return reader.partitionsFor(topic).stream()
        .map(one -> new TopicPartition(topic, one.partition()))
        .toList();
  }
}
