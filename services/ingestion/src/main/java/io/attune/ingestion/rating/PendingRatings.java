package io.attune.ingestion.rating;

import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.ingestion.IngestionConfig;
import io.attune.ingestion.generation.AwaitingGenerations;
import io.attune.ingestion.generation.GenerationStore;
import io.attune.ingestion.generation.GenerationStore.Answered;
import io.attune.ingestion.rating.RatingStore.Pending;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Tenant;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jdbi.v3.core.Handle;

/** Settles ratings that came before their generations: joined when these come, else refused. */
@ApplicationScoped
public class PendingRatings implements AwaitingGenerations {

  private static final int SWEEP = 1000;

  /** The shard of counts for which the rating's own batch is long gone. */
  private static final int SHARD = -1;

  private final RatingStore ratings;
  private final GenerationStore generations;
  private final PendingLock lock;
  private final Outbox outbox;
  private final IngestionConfig config;
  private final Clock clock;

  PendingRatings(
      RatingStore ratings,
      GenerationStore generations,
      PendingLock lock,
      Outbox outbox,
      IngestionConfig config,
      Clock clock) {
    this.ratings = ratings;
    this.generations = generations;
    this.lock = lock;
    this.outbox = outbox;
    this.config = config;
    this.clock = clock;
  }

  @Override
  public void lock(Handle transaction) {
    lock.take(transaction);
  }

  @Override
  public void generationsArrived(Handle transaction, Collection<String> ids) {
    List<Pending> waiting = ratings.pendingFor(transaction, ids);
    if (waiting.isEmpty()) {
      return;
    }
    Set<String> named = new HashSet<>();
    waiting.forEach(one -> named.addAll(Joining.generationIds(one.rating())));
    Map<String, Answered> known = generations.find(transaction, named);
    Instant now = clock.instant();
    List<Outbox.Entry> events = new ArrayList<>();
    for (Pending one : waiting) {
      if (Joining.complete(one.rating(), known)) {
        events.add(settle(transaction, one, known, now));
      }
    }
    outbox.addAll(transaction, events);
  }

  /** Whose ratings have waited too long, of all tenants. */
  List<Tenant> tenantsWithOverdue(Handle acrossTenants) {
    return ratings.tenantsWithPendingBefore(acrossTenants, clock.instant());
  }

  /** Refuses what has waited too long; returns how many, at most a thousand at once. */
  int refuseOverdue(Handle transaction) {
    lock.take(transaction);
    Instant now = clock.instant();
    List<Outbox.Entry> events = new ArrayList<>();
    for (Pending one : ratings.pendingBefore(transaction, now, SWEEP)) {
      var why =
          new PlatformException(
              ErrorCode.ERROR_CODE_GENERATION_UNKNOWN,
              "The generation that the rating names did not arrive within %d s; check the id and send it again."
                  .formatted(config.pendingTimeout().toSeconds()));
      events.add(refuse(transaction, one, why, now));
    }
    outbox.addAll(transaction, events);
    return events.size();
  }

  private Outbox.Entry settle(
      Handle transaction, Pending one, Map<String, Answered> known, Instant now) {
    Rating rating = one.rating();
    RatingAccepted accepted;
    try {
      accepted = Joining.join(rating, one.origin().key(), known, one.origin().received(), now);
    } catch (PlatformException why) {
      return refuse(transaction, one, why, now);
    }
    ratings.acceptPending(transaction, rating.getId(), accepted);
    ratings.count(transaction, Outcomes.ACCEPTED, Map.of(rating.getDataset(), 1), SHARD);
    return Outcomes.acceptedEvent(accepted, one.origin(), now);
  }

  private Outbox.Entry refuse(Handle transaction, Pending one, PlatformException why, Instant now) {
    Rating rating = one.rating();
    ratings.forget(transaction, rating.getId());
    ratings.count(transaction, Outcomes.REJECTED, Map.of("", 1), SHARD);
    return Outcomes.rejectedEvent(
        one.origin(), one.payload(), rating.getId(), rating.getConversationId(), why, now);
  }
}
