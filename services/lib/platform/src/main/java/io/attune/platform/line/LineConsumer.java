package io.attune.platform.line;

import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.RecordSpans;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.AdapterLineChanged;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jboss.logging.Logger;

/**
 * Reads the compacted topic of adapter lines, all of it, from the beginning, in every replica: no
 * group, no commits. Each record is a line's whole state, so reading again changes nothing, and
 * what came before the topic's end at start is applied only in its newest form.
 */
public final class LineConsumer implements AutoCloseable {

  private static final Logger LOG = Logger.getLogger(LineConsumer.class);
  private static final Duration POLL = Duration.ofMillis(250);
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);
  private static final Duration RETRY_LOADS = Duration.ofSeconds(15);

  private final Supplier<KafkaConsumer<String, byte[]>> clients;
  private final LineSwitch<?> lines;
  private final Runnable whenCaughtUp;
  private final String topic;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread;
  private volatile boolean caughtUp;
  private volatile KafkaConsumer<String, byte[]> open;

  /**
   * @param clients makes a client that commits nothing by itself
   * @param whenCaughtUp called once, on the following thread, when what the topic held is applied
   */
  public LineConsumer(
      Supplier<KafkaConsumer<String, byte[]>> clients, LineSwitch<?> lines, Runnable whenCaughtUp) {
    this.clients = clients;
    this.lines = lines;
    this.whenCaughtUp = whenCaughtUp;
    this.topic = Events.topic(AdapterLineChanged.getDescriptor());
    this.thread = new Thread(this::run, "adapter-lines");
    this.thread.setDaemon(true);
  }

  public void start() {
    thread.start();
  }

  /** Whether everything that the topic held at start has been applied. */
  public boolean caughtUp() {
    return caughtUp;
  }

  private void run() {
    while (!isStopped()) {
      try (var consumer = clients.get()) {
        open = consumer;
        follow(consumer);
      } catch (WakeupException stopping) {
        LOG.debug("Stopped following adapter lines");
      } catch (KafkaException | IllegalStateException broken) {
        LOG.errorf("Adapter lines cannot be read topic=%s reason=%s", topic, broken.toString());
        pause(LOOK_AGAIN);
      }
    }
  }

  private void follow(KafkaConsumer<String, byte[]> consumer) {
    List<TopicPartition> partitions = partitions(consumer);
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    var newest = new LinkedHashMap<LineKey, LineState>();
    long lastRetry = System.nanoTime();
    while (!isStopped()) {
      for (ConsumerRecord<String, byte[]> record : consumer.poll(POLL)) {
        decode(record).ifPresent(state -> newest.merge(state.key(), state, LineConsumer::newer));
      }
      boolean complete = caughtUp || reached(consumer, ends);
      if (complete) {
        newest.values().stream()
            .map(state -> caughtUp ? state : state.outsideOfTrace())
            .forEach(lines::apply);
        newest.clear();
        if (!caughtUp) {
          whenCaughtUp.run();
          caughtUp = true;
        }
      }
      if (System.nanoTime() - lastRetry > RETRY_LOADS.toNanos()) {
        lastRetry = System.nanoTime();
        lines.retry();
      }
    }
  }

  private List<TopicPartition> partitions(KafkaConsumer<String, byte[]> consumer) {
    while (!isStopped()) {
      var found = consumer.partitionsFor(topic);
      if (found != null && !found.isEmpty()) {
        return found.stream().map(p -> new TopicPartition(topic, p.partition())).toList();
      }
      LOG.infof("Waiting for topic=%s to be created", topic);
      pause(LOOK_AGAIN);
    }
    throw new WakeupException();
  }

  private static boolean reached(
      KafkaConsumer<String, byte[]> consumer, Map<TopicPartition, Long> ends) {
    return ends.entrySet().stream().allMatch(e -> consumer.position(e.getKey()) >= e.getValue());
  }

  private static LineState newer(LineState a, LineState b) {
    return a.revision() > b.revision() ? a : b;
  }

  private static Optional<LineState> decode(ConsumerRecord<String, byte[]> kafka) {
    if (kafka.value() == null) {
      return Optional.empty();
    }
    try {
      var changed = EventRecords.decode(kafka, AdapterLineChanged.class);
      Tenant tenant = EventRecords.tenant(kafka);
      Optional<Release> active =
          changed.hasActive()
              ? Optional.of(release(tenant, changed.getActive()))
              : Optional.empty();
      return Optional.of(
          new LineState(
              tenant,
              changed.getLine(),
              changed.getKind(),
              changed.getRevision(),
              active,
              RecordSpans.traceparent(kafka)));
    } catch (PlatformException malformed) {
      LOG.errorf("Record left out reason=%s", malformed.getMessage());
      return Optional.empty();
    }
  }

  private static Release release(Tenant tenant, Adapter adapter) {
    return new Release(
        LineVersion.of(tenant, adapter.getVersion()),
        adapter.getArtifact(),
        adapter.getContractSha256());
  }

  private boolean isStopped() {
    return stopped.getCount() == 0;
  }

  private void pause(Duration time) {
    try {
      if (stopped.await(time.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.debug("Stopped while waiting");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      stopped.countDown();
    }
  }

  @Override
  public void close() {
    stopped.countDown();
    var consumer = open;
    if (consumer != null) {
      consumer.wakeup();
    }
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
