package io.attune.launcher.demo;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.RatingRejected;
import io.attune.platform.event.Events;
import io.attune.serving.v1.AdapterActivated;
import io.attune.training.v1.RolloutCompleted;
import io.attune.training.v1.TrainingJobChanged;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The platform's events as they happen, in one queue. Reads all partitions from their beginning,
 * without a consumer group, so that it disturbs nobody and misses nothing.
 */
final class EventFeed implements AutoCloseable {
  private static final Map<String, Message> TYPES =
      Stream.of(
              RatingAccepted.getDefaultInstance(),
              RatingRejected.getDefaultInstance(),
              TrainingJobChanged.getDefaultInstance(),
              AdapterActivated.getDefaultInstance(),
              RolloutCompleted.getDefaultInstance())
          .collect(
              Collectors.toUnmodifiableMap(
                  type -> Events.topic(type.getDescriptorForType()), type -> type));

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final BlockingQueue<Message> events = new LinkedBlockingQueue<>();
  private final CompletableFuture<Void> reading;

  private EventFeed(KafkaConsumer<byte[], byte[]> consumer) {
    this.consumer = consumer;
    this.reading = CompletableFuture.runAsync(this::read, run -> new Thread(run, "events").start());
  }

  static EventFeed open(String bootstrap) {
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed",
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                false),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    List<TopicPartition> partitions =
        TYPES.keySet().stream()
            .flatMap(topic -> consumer.partitionsFor(topic).stream())
            .map(p -> new TopicPartition(p.topic(), p.partition()))
            .toList();
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    return new EventFeed(consumer);
  }

  /** Adds what came another way, for example over a watched call. */
  void offer(Message event) {
    events.add(event);
  }

  /** The next event, or null when none comes within the limit. */
  Message next(Duration limit) throws InterruptedException {
    return events.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void read() {
    try (consumer) {
      while (true) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofHours(1))) {
          if (record.value() != null) {
            events.add(TYPES.get(record.topic()).getParserForType().parseFrom(record.value()));
          }
        }
      }
    } catch (WakeupException e) {
      // closed
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("an event does not follow the contract", e);
    }
  }

  @Override
  public void close() {
    consumer.wakeup();
    reading.join();
  }
}
