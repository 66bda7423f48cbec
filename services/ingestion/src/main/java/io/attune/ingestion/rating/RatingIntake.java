package io.attune.ingestion.rating;

import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.RatingOutcome;
import io.attune.feedback.v1.RatingOutcome.State;
import io.attune.ingestion.IngestionConfig;
import io.attune.ingestion.generation.GenerationStore;
import io.attune.ingestion.generation.GenerationStore.Answered;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.Outbox;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jdbi.v3.core.Handle;

/**
 * Decides what becomes of a batch of ratings and writes all of it in the caller's transaction:
 * rows, counts and events.
 */
@ApplicationScoped
public class RatingIntake {

  private final RatingStore ratings;
  private final GenerationStore generations;
  private final PendingLock pendingLock;
  private final Outbox outbox;
  private final IngestionConfig config;
  private final Clock clock;

  RatingIntake(
      RatingStore ratings,
      GenerationStore generations,
      PendingLock pendingLock,
      Outbox outbox,
      IngestionConfig config,
      Clock clock) {
    this.ratings = ratings;
    this.generations = generations;
    this.pendingLock = pendingLock;
    this.outbox = outbox;
    this.config = config;
    this.clock = clock;
  }

  /**
   * Writes a batch.
   *
   * @param shard of the counts, see {@link RatingStore#count}
   * @return an outcome for each arrival, in their order
   */
  public List<RatingOutcome> write(Handle transaction, List<Arrival> arrivals, int shard) {
    Batch batch = new Batch(arrivals, clock.instant());
    batch.refuseUnreadable();
    batch.setAsideRepeats();
    Map<String, Answered> known = known(transaction, batch);
    batch.join(known);
    Set<String> fresh = ratings.insert(transaction, batch.rows());
    batch.settle(fresh);
    Instant deadline = batch.now.plus(config.pendingTimeout());
    for (int i : batch.pending) {
      ratings.insertPending(transaction, arrivals.get(i), deadline);
    }
    outbox.addAll(transaction, batch.events);
    batch.counts.forEach((outcome, n) -> ratings.count(transaction, outcome, n, shard));
    return Arrays.asList(batch.outcomes);
  }

  private Map<String, Answered> known(Handle transaction, Batch batch) {
    Set<String> named = batch.generationIds();
    Map<String, Answered> found = generations.find(transaction, named);
    if (found.size() == named.size()) {
      return found;
    }
    // A generation may be arriving in another transaction at this very moment. Under the lock
    // either
    // it is seen here, or its transaction sees what is written here.
    pendingLock.take(transaction);
    return generations.find(transaction, named);
  }

  /** The state of one batch on its way; functional core, no I/O. */
  private static final class Batch {
    final List<Arrival> arrivals;
    final Instant now;
    final RatingOutcome[] outcomes;
    final List<Outbox.Entry> events = new ArrayList<>();
    final List<Integer> pending = new ArrayList<>();
    final Map<String, Map<String, Integer>> counts = new TreeMap<>();

    /** Place of the first arrival of each id, in order of id: two writers cannot deadlock. */
    private final SortedMap<String, Integer> first = new TreeMap<>();

    private final Map<Integer, RatingAccepted> accepted = new HashMap<>();

    Batch(List<Arrival> arrivals, Instant now) {
      this.arrivals = arrivals;
      this.now = now;
      this.outcomes = new RatingOutcome[arrivals.size()];
    }

    void refuseUnreadable() {
      for (int i = 0; i < outcomes.length; i++) {
        if (arrivals.get(i).refusal() != null) {
          refuse(i, arrivals.get(i).refusal());
        }
      }
    }

    void setAsideRepeats() {
      for (int i = 0; i < outcomes.length; i++) {
        if (outcomes[i] == null && first.putIfAbsent(arrivals.get(i).rating().getId(), i) != null) {
          repeat(i);
        }
      }
    }

    Set<String> generationIds() {
      Set<String> ids = new HashSet<>();
      first.values().forEach(i -> ids.addAll(Joining.generationIds(arrivals.get(i).rating())));
      return ids;
    }

    void join(Map<String, Answered> known) {
      first.values().removeIf(i -> !joined(i, known));
    }

    private boolean joined(int i, Map<String, Answered> known) {
      Arrival arrival = arrivals.get(i);
      if (!Joining.complete(arrival.rating(), known)) {
        return true;
      }
      try {
        accepted.put(
            i,
            Joining.join(
                arrival.rating(), arrival.origin().key(), known, arrival.origin().received(), now));
        return true;
      } catch (PlatformException refusal) {
        refuse(i, refusal);
        return false;
      }
    }

    List<RatingStore.Row> rows() {
      List<RatingStore.Row> rows = new ArrayList<>(first.size());
      for (int i : first.values()) {
        Arrival arrival = arrivals.get(i);
        RatingAccepted value = accepted.get(i);
        rows.add(
            new RatingStore.Row(
                arrival.rating().getId(),
                arrival.rating().getDataset(),
                value == null ? RatingStore.State.PENDING : RatingStore.State.ACCEPTED,
                value == null ? arrival.rating() : value,
                arrival.origin().received()));
      }
      return rows;
    }

    /** With what the database has taken as new, everything is decided; events keep the order. */
    void settle(Set<String> fresh) {
      for (int i : first.values().stream().sorted().toList()) {
        String id = arrivals.get(i).rating().getId();
        if (!fresh.contains(id)) {
          repeat(i);
        } else if (accepted.containsKey(i)) {
          outcomes[i] = Outcomes.of(id, State.STATE_ACCEPTED);
          count(Outcomes.ACCEPTED, arrivals.get(i).rating().getDataset());
          events.add(Outcomes.acceptedEvent(accepted.get(i), arrivals.get(i).origin(), now));
        } else {
          outcomes[i] = Outcomes.of(id, State.STATE_PENDING);
          pending.add(i);
        }
      }
    }

    private void repeat(int i) {
      outcomes[i] = Outcomes.of(arrivals.get(i).rating().getId(), State.STATE_DUPLICATE);
      count(Outcomes.DUPLICATE, "");
    }

    private void refuse(int i, PlatformException why) {
      Arrival arrival = arrivals.get(i);
      outcomes[i] = Outcomes.rejected(arrival.readableId(), why);
      count(Outcomes.REJECTED, "");
      events.add(
          Outcomes.rejectedEvent(
              arrival.origin(),
              arrival.payload(),
              arrival.readableId(),
              arrival.readableConversation(),
              why,
              now));
    }

    private void count(String outcome, String dataset) {
      counts.computeIfAbsent(outcome, o -> new TreeMap<>()).merge(dataset, 1, Integer::sum);
    }
  }
}
