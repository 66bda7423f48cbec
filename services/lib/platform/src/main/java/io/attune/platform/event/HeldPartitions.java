package io.attune.platform.event;

import io.attune.platform.error.PlatformException;
import io.attune.platform.event.InboxConsumers.Throttle;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Back-pressure on tenants that send too much: their partitions are paused where they stand, so
 * that the topic holds what comes, and others are read as before. One thread uses it.
 */
final class HeldPartitions {

  private final Throttle throttle;

  /** Until when, by the clock of {@link System#nanoTime}. */
  private final Map<TopicPartition, Long> until = new HashMap<>();

  HeldPartitions(Throttle throttle) {
    this.throttle = throttle;
  }

  /** Reads on from partitions that were held for long enough; they may be held back again. */
  void resumeDue(KafkaConsumer<String, byte[]> consumer) {
    // What a consumer before this one was assigned is no affair of this one's.
    until.keySet().retainAll(consumer.assignment());
    long now = System.nanoTime();
    List<TopicPartition> due =
        until.entrySet().stream()
            .filter(one -> one.getValue() - now <= 0)
            .map(Map.Entry::getKey)
            .toList();
    consumer.resume(due);
    due.forEach(until::remove);
  }

  /** What may be read now of what came; the rest comes again when its time is there. */
  ConsumerRecords<String, byte[]> holdBack(
      KafkaConsumer<String, byte[]> consumer, ConsumerRecords<String, byte[]> polled) {
    Map<TopicPartition, List<ConsumerRecord<String, byte[]>>> free = new HashMap<>();
    for (TopicPartition partition : polled.partitions()) {
      List<ConsumerRecord<String, byte[]>> records = polled.records(partition);
      Duration wait = wait(partition.topic());
      if (wait.isZero()) {
        free.put(partition, records);
      } else {
        consumer.seek(partition, records.get(0).offset());
        consumer.pause(Set.of(partition));
        until.put(partition, System.nanoTime() + wait.toNanos());
      }
    }
    if (free.size() == polled.partitions().size()) {
      return polled;
    }
    Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>(polled.nextOffsets());
    next.keySet().retainAll(free.keySet());
    return new ConsumerRecords<>(free, next);
  }

  /** These are read by somebody else now. */
  void forget(Collection<TopicPartition> partitions) {
    partitions.forEach(until::remove);
  }

  private Duration wait(String topic) {
    if (!Topics.isRatings(topic)) {
      return Duration.ZERO;
    }
    try {
      return throttle.untilFree(Topics.tenantOfRatings(topic));
    } catch (PlatformException ofNobody) {
      return Duration.ZERO;
    }
  }
}
