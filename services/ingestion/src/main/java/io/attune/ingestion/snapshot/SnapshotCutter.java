package io.attune.ingestion.snapshot;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.Snapshot;
import io.attune.feedback.v1.SnapshotCut;
import io.attune.ingestion.IngestionConfig;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStore;
import io.attune.platform.storage.ObjectStores;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.result.ResultIterator;

/** Writes all accepted ratings of a data set to a file named by its content. */
@ApplicationScoped
public class SnapshotCutter {

  private static final String COLLECTION = "snapshots";
  private static final String FILE_NAME = "ratings.jsonl";
  private static final int FETCH_SIZE = 1000;

  private final TenantTransactions transactions;
  private final SnapshotStore snapshots;
  private final ObjectStores objectStores;
  private final Outbox outbox;
  private final IngestionConfig config;
  private final Clock clock;

  SnapshotCutter(
      TenantTransactions transactions,
      SnapshotStore snapshots,
      ObjectStores objectStores,
      Outbox outbox,
      IngestionConfig config,
      Clock clock) {
    this.transactions = transactions;
    this.snapshots = snapshots;
    this.objectStores = objectStores;
    this.outbox = outbox;
    this.config = config;
    this.clock = clock;
  }

  private record Counts(long ratings, long heldOut) {}

  /**
   * Cuts a snapshot. Without new ratings in between, the same one comes back: ratings never change
   * and are written in the order of their ids.
   *
   * @throws PlatformException TOO_LITTLE_DATA if the data set has no ratings
   */
  public Snapshot cut(Tenant tenant, String dataset) {
    ObjectStore objects = objectStores.of(tenant);
    Path staged = objects.stage(COLLECTION);
    Counts counts =
        transactions.inTenant(
            tenant, reading -> write(reading, dataset, staged.resolve(FILE_NAME)));
    if (counts.ratings() == 0) {
      discard(staged);
      throw new PlatformException(
          ErrorCode.ERROR_CODE_TOO_LITTLE_DATA,
          "Data set %s has no accepted ratings yet; send some first.".formatted(dataset));
    }
    Artifact file = objects.publishFile(COLLECTION, staged, FILE_NAME);
    Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    Snapshot snapshot =
        Snapshot.newBuilder()
            .setId(file.getSha256())
            .setDataset(dataset)
            .setFile(file)
            .setRatings(counts.ratings())
            .setHeldOutRatings(counts.heldOut())
            .setCutTime(
                Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()))
            .build();
    Snapshot stored =
        transactions.inTenant(tenant, transaction -> record(transaction, snapshot, now));
    outbox.wake();
    return stored;
  }

  /** A snapshot that was cut. */
  public Snapshot get(Tenant tenant, String id) {
    return transactions
        .inTenant(tenant, handle -> snapshots.find(handle, id))
        .orElseThrow(
            () ->
                new PlatformException(
                    ErrorCode.ERROR_CODE_NOT_FOUND,
                    "There is no such snapshot; list those of a data set to find its id."));
  }

  /** A data set's newest snapshots first. */
  public List<Snapshot> list(Tenant tenant, String dataset, int limit) {
    return transactions.inTenant(tenant, handle -> snapshots.list(handle, dataset, limit));
  }

  private Snapshot record(Handle transaction, Snapshot snapshot, Instant now) {
    if (!snapshots.add(transaction, snapshot)) {
      return snapshots.find(transaction, snapshot.getId()).orElseThrow();
    }
    var event = SnapshotCut.newBuilder().setSnapshot(snapshot).build();
    outbox.add(transaction, event, snapshot.getId() + "/cut", now);
    return snapshot;
  }

  /** One statement, so that the file shows the data set at one moment. */
  private Counts write(Handle reading, String dataset, Path file) {
    long ratings = 0;
    long heldOut = 0;
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        ResultIterator<byte[]> rows = accepted(reading, dataset)) {
      while (rows.hasNext()) {
        SnapshotLine line =
            SnapshotLine.of(RatingAccepted.parseFrom(rows.next()), config.heldOutPermille());
        out.write(line.json());
        out.write('\n');
        ratings++;
        heldOut += line.heldOut() ? 1 : 0;
      }
    } catch (InvalidProtocolBufferException corrupt) {
      throw new IllegalStateException(
          "table ratings holds bytes that were not written here", corrupt);
    } catch (IOException failed) {
      throw new UncheckedIOException("cannot write a snapshot to " + file, failed);
    }
    return new Counts(ratings, heldOut);
  }

  private static ResultIterator<byte[]> accepted(Handle reading, String dataset) {
    return reading
        .createQuery(
            "SELECT value FROM ratings WHERE tenant = current_setting('attune.tenant')"
                + " AND dataset = :dataset AND state = 'ACCEPTED'"
                + " ORDER BY rating_id")
        .bind("dataset", dataset)
        .setFetchSize(FETCH_SIZE)
        .map((row, context) -> row.getBytes("value"))
        .iterator();
  }

  private static void discard(Path staged) {
    try {
      Files.deleteIfExists(staged.resolve(FILE_NAME));
      Files.deleteIfExists(staged);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
