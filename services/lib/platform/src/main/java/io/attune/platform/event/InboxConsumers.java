package io.attune.platform.event;

import io.quarkus.arc.properties.IfBuildProperty;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/** Starts the consumers whose effects are rows, and stops them with the service. */
@ApplicationScoped
@IfBuildProperty(name = "quarkus.datasource.db-kind", stringValue = "postgresql")
public class InboxConsumers {

  private final Jdbi jdbi;
  private final Inbox inbox;
  private final KafkaClients kafka;
  private final List<InboxConsumer> running = new CopyOnWriteArrayList<>();

  InboxConsumers(Jdbi jdbi, Inbox inbox, KafkaClients kafka) {
    this.jdbi = jdbi;
    this.inbox = inbox;
    this.kafka = kafka;
  }

  /** What the service does with records. */
  @FunctionalInterface
  public interface Handler {
    /**
     * Reads a batch, in order within each partition. Must not throw for what a record holds: a
     * batch that throws is delivered again until it does not.
     */
    Effects read(List<ConsumerRecord<String, byte[]>> batch);
  }

  /** What a batch changes. */
  @FunctionalInterface
  public interface Effects {
    /** Writes it, in the transaction that also advances the inbox. */
    void write(Handle transaction);

    /** Runs after the commit, for metrics and wake-ups; need not happen. */
    default void committed() {}
  }

  /**
   * Which records, and how.
   *
   * @param group the consumer group, which is also the consumer's name in the inbox
   * @param topic what it reads
   * @param threads consumers in this process; more than partitions are idle
   * @param maxBatch records of one batch and transaction at most
   */
  public record Subscription(String group, String topic, int threads, int maxBatch) {}

  /** Starts to consume, from where the inbox says; without an entry, from the beginning. */
  public void start(Subscription subscription, Handler handler) {
    List<InboxConsumer> started = new ArrayList<>();
    for (int i = 0; i < subscription.threads(); i++) {
      started.add(new InboxConsumer(subscription, i, handler, jdbi, inbox, kafka));
    }
    running.addAll(started);
    started.forEach(InboxConsumer::start);
  }

  /** Whether each consumer, by its name, fails at present. */
  Map<String, Boolean> states() {
    Map<String, Boolean> states = new TreeMap<>();
    running.forEach(consumer -> states.put(consumer.name(), consumer.failing()));
    return states;
  }

  void onStop(@Observes @Priority(2000) ShutdownEvent stopped) {
    running.forEach(InboxConsumer::requestStop);
    running.forEach(InboxConsumer::awaitStop);
    running.clear();
  }
}
