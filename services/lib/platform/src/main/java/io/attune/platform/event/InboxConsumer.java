package io.attune.platform.event;

import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.Loggable;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.InboxConsumers.Effects;
import io.attune.platform.event.InboxConsumers.Handler;
import io.attune.platform.event.InboxConsumers.Subscription;
import io.attune.platform.identity.Tenant;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jboss.logging.Logger;

/**
 * One consumer thread: poll, write effects and offsets in one transaction, poll again.
 *
 * <p>The offsets in the database are the truth. Those committed to Kafka only feed lag monitors,
 * and are never read back.
 */
final class InboxConsumer {

  private static final Logger LOG = Logger.getLogger(InboxConsumer.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final long FIRST_RETRY_MILLIS = 100;
  private static final long LAST_RETRY_MILLIS = 10_000;
  private static final long NEVER_READ = -1;

  private final Subscription subscription;
  private final Handler handler;
  private final TenantTransactions transactions;
  private final Inbox inbox;
  private final KafkaClients kafka;
  private final Thread thread;
  private final CountDownLatch stop = new CountDownLatch(1);

  /** What the inbox holds for each assigned partition, as far as this thread knows. */
  private final Map<TopicPartition, Long> stands = new HashMap<>();

  private final AtomicLong lag = new AtomicLong();
  private final HeldPartitions held;
  private volatile KafkaConsumer<String, byte[]> consumer;
  private volatile boolean failing;

  InboxConsumer(
      Subscription subscription,
      int index,
      Handler handler,
      TenantTransactions transactions,
      Inbox inbox,
      KafkaClients kafka) {
    this.subscription = subscription;
    this.held = new HeldPartitions(subscription.throttle());
    this.handler = handler;
    this.transactions = transactions;
    this.inbox = inbox;
    this.kafka = kafka;
    this.thread = new Thread(this::run, subscription.group() + "-" + index);
    Metrics.gauge("attune.inbox.lag", Tags.of("consumer", name()), lag);
  }

  String name() {
    return thread.getName();
  }

  boolean failing() {
    return failing;
  }

  void start() {
    thread.start();
  }

  void requestStop() {
    stop.countDown();
    KafkaConsumer<String, byte[]> current = consumer;
    if (current != null) {
      current.wakeup();
    }
  }

  void awaitStop() {
    try {
      thread.join(Duration.ofSeconds(10).toMillis());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean stopping() {
    return stop.getCount() == 0;
  }

  private void run() {
    long retryMillis = FIRST_RETRY_MILLIS;
    while (!stopping()) {
      try {
        consume();
        return;
      } catch (WakeupException stopped) {
        return;
      } catch (RuntimeException failed) {
        failing = true;
        LOG.warnf(
            Loggable.of(failed),
            "Consumer %s failed; starting again in %d ms",
            name(),
            retryMillis);
        pause(retryMillis);
        retryMillis = Math.min(retryMillis * 2, LAST_RETRY_MILLIS);
      }
    }
  }

  private void consume() {
    try (KafkaConsumer<String, byte[]> opened =
        kafka.consumer(subscription.group(), subscription.maxBatch())) {
      consumer = opened;
      opened.subscribe(subscription.topics(), new Assignment(opened));
      long retryMillis = FIRST_RETRY_MILLIS;
      while (!stopping()) {
        held.resumeDue(opened);
        ConsumerRecords<String, byte[]> polled = held.holdBack(opened, opened.poll(POLL));
        lag.set(lag(opened));
        if (polled.isEmpty()) {
          failing = false;
          continue;
        }
        try {
          process(opened, polled);
          failing = false;
          retryMillis = FIRST_RETRY_MILLIS;
        } catch (RuntimeException failed) {
          failing = true;
          Metrics.counter("attune.inbox.failures", "consumer", subscription.group()).increment();
          LOG.warnf(
              Loggable.of(failed),
              "Batch of %s could not be written; reading it again in %d ms",
              name(),
              retryMillis);
          pause(retryMillis);
          retryMillis = Math.min(retryMillis * 2, LAST_RETRY_MILLIS);
          standWhereInboxSays(opened, polled.partitions());
        }
      }
    } finally {
      consumer = null;
    }
  }

  private void process(KafkaConsumer<String, byte[]> from, ConsumerRecords<String, byte[]> polled) {
    List<ConsumerRecord<String, byte[]>> batch = new ArrayList<>(polled.count());
    polled.forEach(batch::add);
    // Not the last offset + 1: markers of transactions take offsets too.
    Map<TopicPartition, OffsetAndMetadata> next = polled.nextOffsets();
    try (RecordSpans.Batch spans = new RecordSpans.Batch(batch, subscription.group())) {
      try {
        write(batch, next);
      } catch (RuntimeException failed) {
        spans.fail(failed);
        throw failed;
      }
    }
    from.commitAsync(next, (offsets, failure) -> {});
    Metrics.counter("attune.inbox.records", "consumer", subscription.group())
        .increment(batch.size());
  }

  /** Records that this thread has still to read, as far as the client knows. */
  private static long lag(KafkaConsumer<String, byte[]> of) {
    return of.assignment().stream().mapToLong(one -> of.currentLag(one).orElse(0)).sum();
  }

  private void write(
      List<ConsumerRecord<String, byte[]>> batch, Map<TopicPartition, OffsetAndMetadata> next) {
    // In one order, in which two consumers never wait for each other in a circle.
    SortedMap<Tenant, Effects> effects = new TreeMap<>();
    byTenant(batch).forEach((tenant, its) -> effects.put(tenant, handler.read(tenant, its)));
    transactions.inNone(
        transaction -> {
          effects.forEach(
              (tenant, its) -> its.write(TenantTransactions.enter(transaction, tenant)));
          next.forEach(
              (partition, offset) ->
                  inbox.advance(
                      transaction,
                      subscription.group(),
                      partition,
                      stands.getOrDefault(partition, NEVER_READ),
                      offset.offset()));
          return null;
        });
    next.forEach((partition, offset) -> stands.put(partition, offset.offset()));
    effects.values().forEach(Effects::committed);
  }

  private static Map<Tenant, List<ConsumerRecord<String, byte[]>>> byTenant(
      List<ConsumerRecord<String, byte[]>> batch) {
    Map<Tenant, List<ConsumerRecord<String, byte[]>>> batches = new TreeMap<>();
    for (ConsumerRecord<String, byte[]> kafka : batch) {
      try {
        Tenant tenant =
            Topics.isRatings(kafka.topic())
                // Whoever may write there; a record that names another one is refused by its
                // reader.
                ? Topics.tenantOfRatings(kafka.topic())
                : EventRecords.tenant(kafka);
        batches.computeIfAbsent(tenant, t -> new ArrayList<>()).add(kafka);
      } catch (PlatformException ofNobody) {
        // Only services write to the other topics, and nobody has a topic without a tenant's name.
        LOG.warnf("Skipped a record: %s", ofNobody.getMessage());
      }
    }
    return batches;
  }

  private void standWhereInboxSays(
      KafkaConsumer<String, byte[]> of, Collection<TopicPartition> partitions) {
    Map<TopicPartition, Long> stored =
        transactions.inNone(handle -> inbox.positions(handle, subscription.group(), partitions));
    for (TopicPartition partition : partitions) {
      Long next = stored.get(partition);
      if (next == null) {
        stands.remove(partition);
        of.seekToBeginning(List.of(partition));
      } else {
        stands.put(partition, next);
        of.seek(partition, next);
      }
    }
  }

  private void pause(long millis) {
    try {
      if (stop.await(millis, TimeUnit.MILLISECONDS)) {
        LOG.debugf("Consumer %s stops while it waits to try again", name());
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** A partition that comes to this thread is read from where the inbox says. */
  private final class Assignment implements ConsumerRebalanceListener {
    private final KafkaConsumer<String, byte[]> of;

    Assignment(KafkaConsumer<String, byte[]> of) {
      this.of = of;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      standWhereInboxSays(of, partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      partitions.forEach(stands::remove);
      held.forget(partitions);
    }
  }
}
