package io.attune.training.release;

import io.attune.common.v1.AdapterVersion;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Tenant;
import io.attune.training.TrainingConfig;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.adapter.AdapterStore;
import io.attune.training.release.LiveRatingStore.Opinions;
import io.attune.training.release.LiveRatingStore.State;
import io.attune.training.release.LiveRatingStore.Watch;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.GateDecision;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jdbi.v3.core.Handle;

/**
 * Takes a release back when people surely like its answers less than those of the version before.
 * The gate has only a reward model's word for a release; this has the users'.
 *
 * <p>Ratings, what was compared and what came of it are in the database, and change with the inbox
 * or with the line: a rating counts once, a release is taken back once, by whichever replica. A
 * version that was taken back and is made active again by a person stays.
 */
@ApplicationScoped
public class LiveRatings {
  private static final Logger LOG = Logger.getLogger(LiveRatings.class);
  private static final int MOST_LOOKS = 10;
  private static final Duration BETWEEN_FORGETTING = Duration.ofHours(1);

  private final TenantTransactions transactions;
  private final LiveRatingStore store;
  private final AdapterLines lines;
  private final AdapterStore adapters;
  private final Outbox outbox;
  private final TrainingConfig config;
  private final Clock clock;

  /** Only the looking thread's. */
  private Instant forgotten = Instant.MIN;

  @Inject
  public LiveRatings(
      TenantTransactions transactions,
      LiveRatingStore store,
      AdapterLines lines,
      AdapterStore adapters,
      Outbox outbox,
      TrainingConfig config,
      Clock clock) {
    this.transactions = transactions;
    this.store = store;
    this.lines = lines;
    this.adapters = adapters;
    this.outbox = outbox;
    this.config = config;
    this.clock = clock;
    if (config.rollback().ratings() < 1 || config.rollback().raters() < 2) {
      throw new IllegalArgumentException(
          "attune.training.rollback.ratings must be 1 or more, and .raters 2 or more");
    }
  }

  /** Takes ratings, in the transaction that advances the inbox. */
  public void count(Handle handle, Collection<LiveRating> ratings) {
    if (config.rollback().enabled() && !ratings.isEmpty()) {
      store.add(handle, ratings, clock.instant());
    }
  }

  /** Watches a release from now on, in its transaction. */
  void watch(Tenant tenant, Handle handle, AdapterVersion released, long previous) {
    if (config.rollback().enabled()) {
      store.watch(
          handle,
          new Watch(
              tenant, released.getLine(), released.getVersion(), previous, clock.instant(), 0, 0),
          config.rollback().ratings());
    }
  }

  /** Compares the releases that have enough new ratings. */
  public void look() {
    if (!config.rollback().enabled()) {
      return;
    }
    Instant now = clock.instant();
    Duration window = config.rollback().window();
    List<Watch> due =
        transactions.acrossTenants("due releases", handle -> store.due(handle, now.minus(window)));
    for (Watch watch : due) {
      transactions.useTenant(
          watch.tenant(),
          handle -> store.lock(handle, watch).ifPresent(locked -> examine(handle, locked, now)));
      outbox.wake();
    }
    if (forgotten.isBefore(now.minus(BETWEEN_FORGETTING))) {
      // A release is compared for one window, with the ratings of the window before it.
      transactions.acrossTenants(
          "old live ratings", handle -> store.forget(handle, now.minus(window.multipliedBy(2))));
      forgotten = now;
    }
  }

  private void examine(Handle handle, Watch watch, Instant now) {
    TrainingConfig.Rollback rollback = config.rollback();
    long active = adapters.findLine(handle, watch.line()).orElseThrow().activeVersion();
    if (active != watch.version()) {
      store.end(handle, watch, State.LEFT);
      return;
    }
    if (watch.looks() >= MOST_LOOKS || watch.releaseTime().isBefore(now.minus(rollback.window()))) {
      store.end(handle, watch, State.ESTABLISHED);
      return;
    }
    Opinions ofNew = store.opinions(handle, watch.line(), watch.version(), watch.releaseTime());
    Opinions ofOld =
        store.opinions(
            handle, watch.line(), watch.previous(), watch.releaseTime().minus(rollback.window()));
    long next = 2 * watch.ratings();
    if (!isEnough(ofNew) || !isEnough(ofOld)) {
      store.looked(handle, watch, Optional.empty(), watch.looks(), next);
      return;
    }
    int look = watch.looks() + 1;
    GateDecision decision =
        new LiveComparison(rollback.margin(), config.gate().resamples())
            .decide(
                ofNew.byRater(),
                ofOld.byRater(),
                look,
                version(handle, watch.line(), watch.version()),
                version(handle, watch.line(), watch.previous()),
                watch.version());
    store.looked(handle, watch, Optional.of(decision), look, next);
    if (!decision.getReleased()) {
      lines.rollBack(handle, watch.line(), watch.previous(), Optional.of(decision));
      store.end(handle, watch, State.ROLLED_BACK);
      LOG.warnf(
          "release rolled back tenant=%s line=%s version=%d previous=%d: %s",
          watch.tenant(), watch.line(), watch.version(), watch.previous(), decision.getReason());
    }
  }

  private boolean isEnough(Opinions opinions) {
    return opinions.ratings() >= config.rollback().ratings()
        && opinions.byRater().length >= config.rollback().raters();
  }

  private AdapterVersion version(Handle handle, String line, long version) {
    return adapters
        .find(handle, line, version)
        .map(Adapter::getVersion)
        .orElse(AdapterLines.base(line));
  }
}
