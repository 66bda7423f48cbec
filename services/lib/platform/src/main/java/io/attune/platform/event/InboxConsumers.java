package io.attune.platform.event;

import io.attune.platform.database.TenantTransactions;
import io.attune.platform.identity.Tenant;
import io.quarkus.arc.properties.IfBuildProperty;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jdbi.v3.core.Handle;

/** Starts the consumers whose effects are rows, and stops them with the service. */
@ApplicationScoped
@IfBuildProperty(name = "quarkus.datasource.db-kind", stringValue = "postgresql")
public class InboxConsumers {

  private final TenantTransactions transactions;
  private final Inbox inbox;
  private final KafkaClients kafka;
  private final List<InboxConsumer> running = new CopyOnWriteArrayList<>();

  InboxConsumers(TenantTransactions transactions, Inbox inbox, KafkaClients kafka) {
    this.transactions = transactions;
    this.inbox = inbox;
    this.kafka = kafka;
  }

  /** What the service does with records. */
  @FunctionalInterface
  public interface Handler {
    /**
     * Reads a tenant's records of a batch, in order within each partition. Must not throw for what
     * a record holds: a batch that throws is delivered again until it does not.
     */
    Effects read(Tenant tenant, List<ConsumerRecord<String, byte[]>> batch);
  }

  /** What a batch changes. */
  @FunctionalInterface
  public interface Effects {
    /** Writes it as the tenant, in the transaction that also advances the inbox. */
    void write(Handle transaction);

    /** Runs after the commit, for metrics and wake-ups; need not happen. */
    default void committed() {}
  }

  /** Whether a tenant's records may be read now; asked of topics that are a tenant's own. */
  @FunctionalInterface
  public interface Throttle {

    /** Everybody's may. */
    Throttle NONE = tenant -> Duration.ZERO;

    /** For how long a tenant's records are to stay where they are; zero to read them now. */
    Duration untilFree(Tenant tenant);
  }

  /**
   * Which records, and how.
   *
   * @param group the consumer group, which is also the consumer's name in the inbox
   * @param topics the names of what it reads; each tenant has a topic of its own, or all share one
   * @param threads consumers in this process; more than partitions are idle
   * @param maxBatch records of one batch and transaction at most
   * @param throttle holds back tenants that have too much; what is held back is lost nowhere
   */
  public record Subscription(
      String group, Pattern topics, int threads, int maxBatch, Throttle throttle) {
    public Subscription(String group, String topic, int threads, int maxBatch) {
      this(group, Pattern.compile(Pattern.quote(topic)), threads, maxBatch, Throttle.NONE);
    }
  }

  /** Starts to consume, from where the inbox says; without an entry, from the beginning. */
  public void start(Subscription subscription, Handler handler) {
    List<InboxConsumer> started = new ArrayList<>();
    for (int i = 0; i < subscription.threads(); i++) {
      started.add(new InboxConsumer(subscription, i, handler, transactions, inbox, kafka));
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
