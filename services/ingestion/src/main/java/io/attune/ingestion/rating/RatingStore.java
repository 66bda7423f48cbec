package io.attune.ingestion.rating;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.attune.feedback.v1.GetStatisticsResponse;
import io.attune.feedback.v1.Rating;
import io.attune.ingestion.rating.Arrival.Origin;
import io.attune.platform.database.SqlArrays;
import io.attune.platform.identity.Tenant;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jdbi.v3.core.Handle;

/** The rows of ratings, pending ratings and counts. */
@ApplicationScoped
public class RatingStore {

  private static final String INSERT =
      """
      INSERT INTO ratings (rating_id, dataset, state, value, received_time)
      SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::bytea[], ?::timestamptz[])
      ON CONFLICT DO NOTHING RETURNING rating_id
      """;
  private static final String INSERT_PENDING =
      """
      INSERT INTO pending_ratings
        (rating_id, deadline, record_key, payload, source, partition, record_offset, traceparent)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """;
  private static final String COUNT =
      """
      INSERT INTO outcome_counts (outcome, dataset, shard, n) VALUES (?, ?, ?, ?)
      ON CONFLICT (outcome, dataset, shard, tenant) DO UPDATE SET n = outcome_counts.n + excluded.n
      """;
  private static final String PENDING_COLUMNS =
      """
      SELECT rating_id, value, record_key, payload, source, partition, record_offset, received_time,
        traceparent
      FROM pending_ratings JOIN ratings USING (rating_id, tenant)
      """;

  /** What a rating came to. */
  enum State {
    ACCEPTED,
    PENDING
  }

  /** A row to insert; rows of one insert must be sorted by id and their ids differ. */
  record Row(String id, String dataset, State state, MessageLite value, Instant received) {}

  /** A rating that waits, with all that its refusal would need. */
  public record Pending(Rating rating, byte[] payload, Origin origin) {}

  /** Inserts the rows whose ids are new, and returns those ids. */
  Set<String> insert(Handle transaction, List<Row> rows) {
    if (rows.isEmpty()) {
      return Set.of();
    }
    int n = rows.size();
    String[] ids = new String[n];
    String[] datasets = new String[n];
    String[] states = new String[n];
    byte[][] values = new byte[n][];
    OffsetDateTime[] times = new OffsetDateTime[n];
    for (int i = 0; i < n; i++) {
      Row row = rows.get(i);
      ids[i] = row.id();
      datasets[i] = row.dataset();
      states[i] = row.state().name();
      values[i] = row.value().toByteArray();
      times[i] = row.received().atOffset(ZoneOffset.UTC);
    }
    return new HashSet<>(
        transaction
            .createQuery(INSERT)
            .bind(0, ids)
            .bind(1, datasets)
            .bind(2, states)
            .bind(3, SqlArrays.bytea(values))
            .bind(4, times)
            .mapTo(String.class)
            .list());
  }

  void insertPending(Handle transaction, Arrival arrival, Instant deadline) {
    Origin origin = arrival.origin();
    String id = arrival.rating().getId();
    transaction.execute(
        INSERT_PENDING,
        id,
        deadline.atOffset(ZoneOffset.UTC),
        origin.key(),
        arrival.payload(),
        origin.source(),
        origin.partition(),
        origin.offset(),
        origin.traceparent());
    for (String generation : Joining.generationIds(arrival.rating())) {
      transaction.execute(
          "INSERT INTO pending_generations (generation_id, rating_id) VALUES (?, ?)",
          generation,
          id);
    }
  }

  /** Those that wait for one of these generations, perhaps for others too. */
  List<Pending> pendingFor(Handle transaction, Collection<String> generationIds) {
    return transaction
        .createQuery(
            PENDING_COLUMNS
                + """
                WHERE rating_id IN
                  (SELECT rating_id FROM pending_generations WHERE generation_id = ANY(:ids))
                ORDER BY rating_id
                """)
        .bindArray("ids", String.class, List.copyOf(generationIds))
        .map((row, context) -> pending(row))
        .list();
  }

  /** Those that have waited too long, at most {@code limit}. */
  List<Pending> pendingBefore(Handle transaction, Instant now, int limit) {
    return transaction
        .createQuery(
            PENDING_COLUMNS + "WHERE deadline <= :now ORDER BY deadline, rating_id LIMIT :limit")
        .bind("now", now.atOffset(ZoneOffset.UTC))
        .bind("limit", limit)
        .map((row, context) -> pending(row))
        .list();
  }

  /** Whose have waited too long, of all tenants. */
  List<Tenant> tenantsWithPendingBefore(Handle acrossTenants, Instant now) {
    return acrossTenants
        .createQuery("SELECT DISTINCT tenant FROM pending_ratings WHERE deadline <= :now")
        .bind("now", now.atOffset(ZoneOffset.UTC))
        .map((row, context) -> new Tenant(row.getString("tenant")))
        .list();
  }

  void acceptPending(Handle transaction, String id, MessageLite accepted) {
    transaction.execute(
        "UPDATE ratings SET state = 'ACCEPTED', value = ? WHERE rating_id = ?",
        accepted.toByteArray(),
        id);
    transaction.execute("DELETE FROM pending_ratings WHERE rating_id = ?", id);
  }

  /** Forgets a rating that is refused after all, so that it can be mended and sent again. */
  void forget(Handle transaction, String id) {
    transaction.execute("DELETE FROM ratings WHERE rating_id = ?", id);
  }

  /**
   * Adds to counts.
   *
   * @param byDataset how many, by data set; empty where the outcome belongs to none
   * @param shard any number that few other writers use at the same time
   */
  void count(Handle transaction, String outcome, Map<String, Integer> byDataset, int shard) {
    byDataset.forEach((dataset, n) -> transaction.execute(COUNT, outcome, dataset, shard, n));
  }

  /** The counts of a data set. */
  public GetStatisticsResponse statistics(Handle handle, String dataset) {
    return GetStatisticsResponse.newBuilder()
        .setAccepted(counted(handle, Outcomes.ACCEPTED, dataset))
        .setRejected(counted(handle, Outcomes.REJECTED, ""))
        .setDuplicates(counted(handle, Outcomes.DUPLICATE, ""))
        .setPending(
            handle.createQuery("SELECT count(*) FROM pending_ratings").mapTo(Long.class).one())
        .build();
  }

  /** How many were accepted, of all data sets. */
  long accepted(Handle handle) {
    return handle
        .createQuery(
            "SELECT coalesce(sum(n), 0)::bigint FROM outcome_counts WHERE outcome = :outcome")
        .bind("outcome", Outcomes.ACCEPTED)
        .mapTo(Long.class)
        .one();
  }

  private static long counted(Handle handle, String outcome, String dataset) {
    return handle
        .createQuery(
            "SELECT coalesce(sum(n), 0)::bigint FROM outcome_counts"
                + " WHERE outcome = :outcome AND dataset = :dataset")
        .bind("outcome", outcome)
        .bind("dataset", dataset)
        .mapTo(Long.class)
        .one();
  }

  private static Pending pending(java.sql.ResultSet row) throws java.sql.SQLException {
    try {
      return new Pending(
          Rating.parseFrom(row.getBytes("value")),
          row.getBytes("payload"),
          new Origin(
              row.getString("source"),
              row.getString("record_key"),
              row.getInt("partition"),
              row.getLong("record_offset"),
              row.getObject("received_time", OffsetDateTime.class).toInstant(),
              row.getString("traceparent")));
    } catch (InvalidProtocolBufferException corrupt) {
      throw new IllegalStateException(
          "table ratings holds bytes that were not written here", corrupt);
    }
  }
}
