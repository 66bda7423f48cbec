package io.attune.ingestion.rating;

import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.GetStatisticsResponse;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingOutcome;
import io.attune.ingestion.rating.Arrival.Origin;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.TraceParent;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ratings that come by call: when it returns, each is stored or refused. A call of a tenant that
 * has used up its quota is refused as a whole.
 */
@ApplicationScoped
public class RatingSubmission {

  /** Ratings of one call at most. */
  public static final int MAX_RATINGS = 1000;

  /** Counts of calls are spread over this many shards; the topic's partitions count up from 0. */
  private static final int SHARDS = 8;

  private final TenantTransactions transactions;
  private final RatingIntake intake;
  private final RatingStore store;
  private final RatingReader reader;
  private final RatingMetrics metrics;
  private final Outbox outbox;
  private final RatingQuota quota;
  private final Clock clock;
  private final AtomicInteger calls = new AtomicInteger();

  RatingSubmission(
      TenantTransactions transactions,
      RatingIntake intake,
      RatingStore store,
      RatingMetrics metrics,
      Outbox outbox,
      RatingQuota quota,
      Clock clock) {
    this.transactions = transactions;
    this.intake = intake;
    this.store = store;
    this.reader = new RatingReader(clock);
    this.metrics = metrics;
    this.outbox = outbox;
    this.quota = quota;
    this.clock = clock;
  }

  /** Takes JSON objects, one rating each. */
  public List<RatingOutcome> submitJson(List<byte[]> objects, Caller caller) {
    checkSize(objects.size());
    Instant now = clock.instant();
    List<Arrival> arrivals = new ArrayList<>(objects.size());
    for (byte[] object : objects) {
      arrivals.add(reader.readJson(object, caller, origin("rest", arrivals.size(), now)));
    }
    return store(caller.tenant(), arrivals);
  }

  /** Takes messages. */
  public List<RatingOutcome> submit(List<Rating> ratings, Caller caller) {
    checkSize(ratings.size());
    Instant now = clock.instant();
    List<Arrival> arrivals = new ArrayList<>(ratings.size());
    for (Rating rating : ratings) {
      arrivals.add(reader.readMessage(rating, caller, origin("grpc", arrivals.size(), now)));
    }
    return store(caller.tenant(), arrivals);
  }

  /** The counts of a data set; of "default" when it is empty. */
  public GetStatisticsResponse statistics(Tenant tenant, String dataset) {
    String name = datasetOrDefault(dataset);
    return transactions.inTenant(tenant, handle -> store.statistics(handle, name));
  }

  /** The name, checked; "default" when it is empty. */
  public static String datasetOrDefault(String dataset) {
    if (dataset == null || dataset.isEmpty()) {
      return RatingRules.DEFAULT_DATASET;
    }
    TextRules.checkDataset(dataset);
    return dataset;
  }

  private static Origin origin(String source, int place, Instant now) {
    return new Origin(source, "", 0, place, now, TraceParent.current());
  }

  private List<RatingOutcome> store(Tenant tenant, List<Arrival> arrivals) {
    quota.require(tenant);
    int shard = -2 - Math.floorMod(calls.getAndIncrement(), SHARDS);
    List<RatingOutcome> outcomes =
        transactions.inTenant(tenant, transaction -> intake.write(transaction, arrivals, shard));
    outbox.wake();
    quota.taken(tenant, arrivals.size());
    metrics.committed(arrivals, outcomes);
    return outcomes;
  }

  private static void checkSize(int ratings) {
    if (ratings < 1 || ratings > MAX_RATINGS) {
      throw new PlatformException(
          ratings < 1 ? ErrorCode.ERROR_CODE_INVALID_ARGUMENT : ErrorCode.ERROR_CODE_TOO_LARGE,
          "The request holds %d ratings; 1 to %d are taken at once."
              .formatted(ratings, MAX_RATINGS));
    }
  }
}
