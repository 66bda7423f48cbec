package io.attune.ingestion.snapshot;

import com.google.protobuf.Timestamp;
import io.attune.common.v1.Artifact;
import io.attune.feedback.v1.Snapshot;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;

/** The snapshots that were cut. */
@ApplicationScoped
public class SnapshotStore {

  private static final String COLUMNS =
      "SELECT id, dataset, uri, size_bytes, ratings, held_out_ratings, cut_time FROM snapshots ";

  /** Adds a snapshot; false if it is there already. */
  boolean add(Handle transaction, Snapshot snapshot) {
    Timestamp cut = snapshot.getCutTime();
    return transaction.execute(
            """
            INSERT INTO snapshots (id, dataset, uri, size_bytes, ratings, held_out_ratings, cut_time)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            snapshot.getId(),
            snapshot.getDataset(),
            snapshot.getFile().getUri(),
            snapshot.getFile().getSizeBytes(),
            snapshot.getRatings(),
            snapshot.getHeldOutRatings(),
            Instant.ofEpochSecond(cut.getSeconds(), cut.getNanos()).atOffset(ZoneOffset.UTC))
        == 1;
  }

  Optional<Snapshot> find(Handle handle, String id) {
    return handle
        .createQuery(COLUMNS + "WHERE id = :id")
        .bind("id", id)
        .map((row, context) -> snapshot(row))
        .findOne();
  }

  /** A data set's newest snapshots first. */
  List<Snapshot> list(Handle handle, String dataset, int limit) {
    return handle
        .createQuery(
            COLUMNS
                + "WHERE tenant = current_setting('attune.tenant') AND dataset = :dataset"
                + " ORDER BY cut_time DESC, id LIMIT :limit")
        .bind("dataset", dataset)
        .bind("limit", limit)
        .map((row, context) -> snapshot(row))
        .list();
  }

  private static Snapshot snapshot(ResultSet row) throws SQLException {
    Instant cut = row.getObject("cut_time", OffsetDateTime.class).toInstant();
    return Snapshot.newBuilder()
        .setId(row.getString("id"))
        .setDataset(row.getString("dataset"))
        .setFile(
            Artifact.newBuilder()
                .setUri(row.getString("uri"))
                .setSha256(row.getString("id"))
                .setSizeBytes(row.getLong("size_bytes")))
        .setRatings(row.getLong("ratings"))
        .setHeldOutRatings(row.getLong("held_out_ratings"))
        .setCutTime(Timestamp.newBuilder().setSeconds(cut.getEpochSecond()).setNanos(cut.getNano()))
        .build();
  }
}
