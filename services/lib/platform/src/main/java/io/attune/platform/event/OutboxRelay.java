package io.attune.platform.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.Loggable;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.Spans;
import io.opentelemetry.api.trace.Span;
import io.quarkus.arc.properties.IfBuildProperty;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;
import org.jdbi.v3.core.Handle;

/**
 * Sends what transactions have put into the outbox, in order, and deletes it once the broker has
 * it. A crash between the two sends again, under the same id.
 */
@ApplicationScoped
@IfBuildProperty(name = "quarkus.datasource.db-kind", stringValue = "postgresql")
public class OutboxRelay {

  private static final Logger LOG = Logger.getLogger(OutboxRelay.class);
  private static final int BATCH = 1000;
  private static final long IDLE_MILLIS = 500;
  private static final long RETRY_MILLIS = 1000;

  // One relay at a time per schema, so that replicas do not overtake each other.
  private static final String LOCK =
      "SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || '.outbox'))";
  private static final String OLDEST =
      """
      SELECT id, event_id, topic, event_key, event_type, event_time, error_code, value,
        traceparent, tenant
      FROM outbox ORDER BY id LIMIT %d
      """
          .formatted(BATCH);

  private final TenantTransactions transactions;
  private final Outbox outbox;
  private final KafkaClients kafka;
  private final String source;
  private final boolean enabled;
  private volatile boolean stopping;
  private Thread thread;

  @Inject
  OutboxRelay(
      TenantTransactions transactions,
      Outbox outbox,
      KafkaClients kafka,
      @ConfigProperty(name = "quarkus.application.name") String source,
      @ConfigProperty(name = "attune.outbox.enabled", defaultValue = "true") boolean enabled) {
    this.transactions = transactions;
    this.outbox = outbox;
    this.kafka = kafka;
    this.source = source;
    this.enabled = enabled;
  }

  private record Stored(long id, ProducerRecord<String, byte[]> kafka, String traceparent) {}

  void onStart(@Observes @Priority(100) StartupEvent started) {
    if (enabled) {
      thread = new Thread(this::run, "outbox-relay");
      thread.start();
    }
  }

  void onStop(@Observes @Priority(3000) ShutdownEvent stopped) throws InterruptedException {
    stopping = true;
    if (thread != null) {
      outbox.wake();
      thread.join(Duration.ofSeconds(5).toMillis());
    }
  }

  private void run() {
    try {
      while (!stopping) {
        try {
          relayUntilFailure();
        } catch (RuntimeException failed) {
          LOG.warnf(
              Loggable.of(failed), "Outbox could not be sent; trying again in %d ms", RETRY_MILLIS);
          outbox.await(RETRY_MILLIS);
        }
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * A producer that has failed is not used again: its sequence numbers may no longer be those that
   * the broker expects, and then it never gets through.
   */
  private void relayUntilFailure() throws InterruptedException {
    KafkaProducer<String, byte[]> producer = kafka.producer("outbox");
    try {
      while (!stopping) {
        if (relay(producer) < BATCH) {
          outbox.await(IDLE_MILLIS);
        }
      }
    } finally {
      producer.close(Duration.ZERO);
    }
  }

  /** Sends one batch; returns how many events it had. */
  private int relay(KafkaProducer<String, byte[]> producer) {
    return transactions.acrossTenants("outbox relay", transaction -> relay(transaction, producer));
  }

  private int relay(Handle transaction, KafkaProducer<String, byte[]> producer) {
    boolean mine = transaction.createQuery(LOCK).mapTo(Boolean.class).one();
    if (!mine) {
      return 0;
    }
    List<Stored> batch =
        transaction
            .createQuery(OLDEST)
            .map(
                (row, context) ->
                    new Stored(row.getLong("id"), record(row), row.getString("traceparent")))
            .list();
    if (batch.isEmpty()) {
      return 0;
    }
    List<Future<RecordMetadata>> sent = new ArrayList<>(batch.size());
    for (Stored stored : batch) {
      sent.add(send(producer, stored));
    }
    producer.flush();
    try {
      for (Future<RecordMetadata> one : sent) {
        one.get();
      }
    } catch (ExecutionException failed) {
      throw new RelayException(failed.getCause());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new RelayException(interrupted);
    }
    Long[] ids = batch.stream().map(Stored::id).toArray(Long[]::new);
    transaction.execute("DELETE FROM outbox WHERE id = ANY(?::bigint[])", (Object) ids);
    return batch.size();
  }

  /** In the trace of whoever decided on the event: this thread has none. */
  private static Future<RecordMetadata> send(
      KafkaProducer<String, byte[]> producer, Stored stored) {
    if (stored.traceparent() == null) {
      return producer.send(stored.kafka());
    }
    Span span = RecordSpans.send(stored.kafka(), stored.traceparent());
    return producer.send(
        stored.kafka(),
        (metadata, failure) -> {
          if (failure != null) {
            Spans.fail(span, failure);
          }
          span.end();
        });
  }

  private ProducerRecord<String, byte[]> record(java.sql.ResultSet row)
      throws java.sql.SQLException {
    var tenant = new Tenant(row.getString("tenant"));
    var kafkaRecord =
        new ProducerRecord<>(
            row.getString("topic"),
            tenant.qualify(row.getString("event_key")),
            row.getBytes("value"));
    EventRecords.addHeaders(
        kafkaRecord.headers(),
        tenant,
        row.getString("event_id"),
        row.getString("event_type"),
        source,
        row.getObject("event_time", OffsetDateTime.class).toInstant());
    String errorCode = row.getString("error_code");
    if (errorCode != null) {
      kafkaRecord.headers().add(EventRecords.ERROR_CODE, errorCode.getBytes(UTF_8));
    }
    return kafkaRecord;
  }

  /** Rolls the transaction back, so that the batch stays. */
  private static final class RelayException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RelayException(Throwable cause) {
      super(cause);
    }
  }
}
