package io.attune.serving.generate;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Who may generate now. A bounded number of answers is written at the same time; a bounded number
 * of callers' answers waits; the rest is refused at once. Rollouts wait behind callers and never
 * take more than their share of the places; a tenant's callers never more than its quota.
 */
public final class Admission {

  /** Who asks. */
  public enum Kind {
    /** A caller, who waits for the answer. */
    CALLER,
    /** The platform itself, which can wait. */
    ROLLOUT
  }

  /** A place, waited for or taken. */
  public final class Place {
    private final Tenant tenant;
    private final Kind kind;
    private final Consumer<Place> start;
    private State state = State.WAITING;

    private Place(Tenant tenant, Kind kind, Consumer<Place> start) {
      this.tenant = tenant;
      this.kind = kind;
      this.start = start;
    }

    /** Gives the place back, or leaves the queue. Idempotent. */
    public void leave() {
      Admission.this.leave(this);
    }
  }

  private enum State {
    WAITING,
    RUNNING,
    LEFT
  }

  private final int maxRunning;
  private final int maxWaiting;
  private final int maxRollouts;
  private final Function<Tenant, OptionalLong> perTenant;
  private final Map<Tenant, Integer> ofTenants = new HashMap<>();
  private final Deque<Place> callers = new ArrayDeque<>();
  private final Deque<Place> rollouts = new ArrayDeque<>();
  private final CountDownLatch drained = new CountDownLatch(1);
  private int running;
  private int runningRollouts;
  private boolean draining;

  /**
   * @param rolloutShare of maxRunning, more than 0 and at most 1; rounded down, but at least one
   *     place
   * @param perTenant callers' answers that a tenant may have at once; empty for any number
   */
  public Admission(
      int maxRunning,
      int maxWaiting,
      double rolloutShare,
      Function<Tenant, OptionalLong> perTenant) {
    if (maxRunning < 1 || maxWaiting < 0 || !(rolloutShare > 0 && rolloutShare <= 1)) {
      throw new IllegalArgumentException(
          "attune.serving: max-concurrent must be at least 1, max-queue at least 0 and"
              + " rollout-share"
              + " in (0, 1]; got %d, %d, %s".formatted(maxRunning, maxWaiting, rolloutShare));
    }
    this.perTenant = perTenant;
    this.maxRunning = maxRunning;
    this.maxWaiting = maxWaiting;
    this.maxRollouts = Math.max(1, (int) (maxRunning * rolloutShare));
  }

  /**
   * Takes a place for each of {@code starts}, all or none. Each is called, with its place, when
   * that is free: before this returns, or later on the thread that gives a place back. It must not
   * throw.
   *
   * @throws PlatformException OVERLOADED if there is no room, QUOTA_EXCEEDED if there is none for
   *     this tenant, UNAVAILABLE at shutdown
   */
  public List<Place> enter(Tenant tenant, Kind kind, List<Consumer<Place>> starts) {
    List<Place> places = starts.stream().map(start -> new Place(tenant, kind, start)).toList();
    synchronized (this) {
      if (draining) {
        throw new PlatformException(
            ErrorCode.ERROR_CODE_UNAVAILABLE, "This replica is shutting down; call another one.");
      }
      if (kind == Kind.CALLER) {
        int room = Math.max(0, maxRunning - running) + maxWaiting - callers.size();
        if (starts.size() > room) {
          throw new PlatformException(
              ErrorCode.ERROR_CODE_OVERLOADED,
              "%d answers are being written and %d wait, so there is no room for %d more; try again later."
                  .formatted(running, callers.size(), starts.size()));
        }
        takeShare(tenant, starts.size());
      }
      (kind == Kind.CALLER ? callers : rollouts).addAll(places);
    }
    startNext();
    return places;
  }

  private void takeShare(Tenant tenant, int answers) {
    int has = ofTenants.getOrDefault(tenant, 0);
    OptionalLong most = perTenant.apply(tenant);
    if (most.isPresent() && has + answers > most.getAsLong()) {
      throw PlatformException.quotaExceeded(
          "The tenant has %d answers that are written or wait, and may have %d at once."
              .formatted(has, most.getAsLong()),
          Duration.ofSeconds(1));
    }
    ofTenants.put(tenant, has + answers);
  }

  private void leave(Place place) {
    synchronized (this) {
      if (place.state != State.LEFT && place.kind == Kind.CALLER) {
        ofTenants.computeIfPresent(place.tenant, (tenant, has) -> has == 1 ? null : has - 1);
      }
      if (place.state == State.RUNNING) {
        running--;
        if (place.kind == Kind.ROLLOUT) {
          runningRollouts--;
        }
      } else if (place.state == State.WAITING) {
        (place.kind == Kind.CALLER ? callers : rollouts).remove(place);
      }
      place.state = State.LEFT;
      noteDrained();
    }
    startNext();
  }

  private void startNext() {
    var next = new ArrayList<Place>();
    synchronized (this) {
      while (running < maxRunning) {
        Place place = callers.poll();
        if (place == null && runningRollouts < maxRollouts) {
          place = rollouts.poll();
        }
        if (place == null) {
          break;
        }
        place.state = State.RUNNING;
        running++;
        if (place.kind == Kind.ROLLOUT) {
          runningRollouts++;
        }
        next.add(place);
      }
    }
    // Outside the lock: what it starts may end at once and come back here.
    next.forEach(place -> place.start.accept(place));
  }

  /** Answers that are being written. */
  public synchronized int running() {
    return running;
  }

  /** Callers' answers that wait. */
  public synchronized int waiting() {
    return callers.size();
  }

  /** Refuses newcomers from now on. */
  public synchronized void drain() {
    draining = true;
    noteDrained();
  }

  public synchronized boolean draining() {
    return draining;
  }

  /** Opens when, after {@link #drain}, the last answer has ended. */
  public CountDownLatch drained() {
    return drained;
  }

  private void noteDrained() {
    if (draining && running == 0 && callers.isEmpty() && rollouts.isEmpty()) {
      drained.countDown();
    }
  }
}
