package io.attune.platform.event;

import com.google.protobuf.Message;
import io.attune.platform.database.SqlArrays;
import io.attune.platform.telemetry.TraceParent;
import io.quarkus.arc.properties.IfBuildProperty;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jdbi.v3.core.Handle;

/**
 * Events that are sent if, and only if, the transaction that adds them commits.
 *
 * <p>The relay sends them at least once with the id given here, so that receivers can tell a
 * repeat.
 */
@ApplicationScoped
@IfBuildProperty(name = "quarkus.datasource.db-kind", stringValue = "postgresql")
public class Outbox {

  private static final String INSERT =
      """
      INSERT INTO outbox (event_id, topic, event_key, event_type, event_time, error_code, value, traceparent)
      SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::timestamptz[], ?::text[], ?::bytea[], ?::text[])
      """;

  private final Semaphore added = new Semaphore(0);

  /**
   * An event to send.
   *
   * @param id unique for ever; derive it from the cause where the event can be made twice
   * @param errorCode for a refused record the reason, which travels as a header; else null
   * @param traceparent the span that the event comes from; null for the one in which it is added
   */
  public record Entry(
      Message event, String id, Instant time, String errorCode, String traceparent) {
    public Entry(Message event, String id, Instant time) {
      this(event, id, time, null, null);
    }
  }

  /** Adds one event to the caller's transaction. */
  public void add(Handle transaction, Message event, String id, Instant time) {
    addAll(transaction, List.of(new Entry(event, id, time)));
  }

  /** Adds events to the caller's transaction; they are sent in this order. */
  public void addAll(Handle transaction, List<Entry> entries) {
    if (entries.isEmpty()) {
      return;
    }
    int n = entries.size();
    String[] ids = new String[n];
    String[] topics = new String[n];
    String[] keys = new String[n];
    String[] types = new String[n];
    OffsetDateTime[] times = new OffsetDateTime[n];
    String[] errors = new String[n];
    byte[][] values = new byte[n][];
    String[] traceparents = new String[n];
    String current = TraceParent.current();
    for (int i = 0; i < n; i++) {
      Entry entry = entries.get(i);
      ids[i] = entry.id();
      topics[i] = Events.topic(entry.event().getDescriptorForType());
      keys[i] = Events.key(entry.event());
      types[i] = Events.type(entry.event());
      times[i] = entry.time().atOffset(ZoneOffset.UTC);
      errors[i] = entry.errorCode();
      values[i] = entry.event().toByteArray();
      traceparents[i] = entry.traceparent() == null ? current : entry.traceparent();
    }
    transaction
        .createUpdate(INSERT)
        .bind(0, ids)
        .bind(1, topics)
        .bind(2, keys)
        .bind(3, types)
        .bind(4, times)
        .bind(5, errors)
        .bind(6, SqlArrays.bytea(values))
        .bind(7, traceparents)
        .execute();
  }

  /** Tells the relay, after the commit, that there is something to send; it looks by itself too. */
  public void wake() {
    added.release();
  }

  /** Waits until there may be something to send. */
  void await(long millis) throws InterruptedException {
    if (added.tryAcquire(millis, TimeUnit.MILLISECONDS)) {
      added.drainPermits();
    }
  }
}
