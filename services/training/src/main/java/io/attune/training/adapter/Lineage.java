package io.attune.training.adapter;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.training.Messages;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.GetLineageResponse;
import io.attune.training.v1.TrainingJob;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.PreparedBatch;

/** Where adapters come from: the job, its snapshot, the ratings that became its rows. */
@ApplicationScoped
public class Lineage {
  private static final int BATCH = 5_000;

  private final TenantTransactions transactions;
  private final AdapterStore adapters;

  @Inject
  public Lineage(TenantTransactions transactions, AdapterStore adapters) {
    this.transactions = transactions;
    this.adapters = adapters;
  }

  /** Records which ratings became rows of a job, in their order. Replaces what was recorded. */
  public void record(Handle handle, UUID jobId, Stream<String> ratingIds) {
    handle.execute("delete from training_job_rating where job_id = ?", jobId);
    long[] ordinal = {0};
    try (PreparedBatch batch =
        handle.prepareBatch(
            "insert into training_job_rating (job_id, ordinal, rating_id)"
                + " values (:job, :ordinal, :rating)")) {
      ratingIds.forEach(
          id -> {
            batch.bind("job", jobId).bind("ordinal", ordinal[0]++).bind("rating", id).add();
            if (batch.size() == BATCH) {
              batch.execute();
            }
          });
      if (batch.size() > 0) {
        batch.execute();
      }
    }
  }

  /**
   * An adapter's lineage with one page of rating ids.
   *
   * @param from place of the first rating id
   * @throws PlatformException NOT_FOUND when there is no such adapter
   */
  public GetLineageResponse get(Tenant tenant, String line, long version, long from, int limit) {
    return transactions.inTenant(tenant, handle -> read(handle, line, version, from, limit));
  }

  private GetLineageResponse read(Handle handle, String line, long version, long from, int limit) {
    Adapter adapter =
        adapters
            .find(handle, line, version)
            .orElseThrow(
                () ->
                    new PlatformException(
                        ErrorCode.ERROR_CODE_NOT_FOUND,
                        "Line " + line + " has no version " + version + "."));
    UUID job = UUID.fromString(adapter.getJobId());
    TrainingJob made =
        handle
            .createQuery("select body from training_job where id = :id")
            .bind("id", job)
            .mapTo(String.class)
            .map(body -> Messages.fromJson(body, TrainingJob.newBuilder()).build())
            .one();
    long count =
        handle
            .createQuery("select count(*) from training_job_rating where job_id = :id")
            .bind("id", job)
            .mapTo(Long.class)
            .one();
    List<String> ids =
        handle
            .createQuery(
                """
                select rating_id from training_job_rating
                where job_id = :id and ordinal >= :from order by ordinal limit :limit
                """)
            .bind("id", job)
            .bind("from", from)
            .bind("limit", limit)
            .mapTo(String.class)
            .list();
    io.attune.training.v1.Lineage.Builder lineage =
        io.attune.training.v1.Lineage.newBuilder()
            .setAdapter(adapter)
            .setSnapshot(made.getSnapshot())
            .addAllRatingIds(ids)
            .setRatingCount(count);
    adapters.ancestors(handle, line, version).forEach(a -> lineage.addAncestors(a.getVersion()));
    GetLineageResponse.Builder response = GetLineageResponse.newBuilder().setLineage(lineage);
    if (from + ids.size() < count) {
      response.setNextPageToken(Long.toString(from + ids.size()));
    }
    return response.build();
  }
}
