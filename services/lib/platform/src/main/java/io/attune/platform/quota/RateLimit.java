package io.attune.platform.quota;

import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * How much of something each tenant uses in a minute, in this process: a bucket that holds a
 * minute's worth and fills evenly. What is taken may be more than there is, since it is often known
 * only afterwards; then nothing is left until the debt is paid.
 */
public final class RateLimit {

  private static final double NANOS_PER_MINUTE = 60e9;

  private final Function<Tenant, OptionalLong> perMinute;
  private final String what;
  private final InstantSource clock;
  private final Map<Tenant, Bucket> buckets = new ConcurrentHashMap<>();

  /**
   * @param perMinute a tenant's limit; empty for none
   * @param what is counted, in the plural
   */
  public RateLimit(Function<Tenant, OptionalLong> perMinute, String what, InstantSource clock) {
    this.perMinute = perMinute;
    this.what = what;
    this.clock = clock;
  }

  private static final class Bucket {
    private double left;
    private Instant seen;

    Bucket(double left, Instant seen) {
      this.left = left;
      this.seen = seen;
    }

    void fill(double limit, Instant now) {
      double more = limit * Duration.between(seen, now).toNanos() / NANOS_PER_MINUTE;
      if (more > 0) {
        left = Math.min(limit, left + more);
        seen = now;
      }
    }
  }

  /** How long until the tenant may take again; zero if it may now. */
  public Duration untilFree(Tenant tenant) {
    OptionalLong limit = perMinute.apply(tenant);
    if (limit.isEmpty()) {
      return Duration.ZERO;
    }
    Bucket bucket = bucket(tenant, limit.getAsLong());
    synchronized (bucket) {
      bucket.fill(limit.getAsLong(), clock.instant());
      return bucket.left >= 1
          ? Duration.ZERO
          : Duration.ofNanos(
              (long) Math.ceil((1 - bucket.left) * NANOS_PER_MINUTE / limit.getAsLong()));
    }
  }

  /** Takes, whether or not there is enough. */
  public void take(Tenant tenant, long amount) {
    OptionalLong limit = perMinute.apply(tenant);
    if (limit.isPresent()) {
      Bucket bucket = bucket(tenant, limit.getAsLong());
      synchronized (bucket) {
        bucket.fill(limit.getAsLong(), clock.instant());
        bucket.left -= amount;
      }
    }
  }

  /**
   * @throws PlatformException QUOTA_EXCEEDED if the tenant has to wait
   */
  public void require(Tenant tenant) {
    Duration wait = untilFree(tenant);
    if (!wait.isZero()) {
      throw PlatformException.quotaExceeded(
          "The tenant may use %d %s a minute, and has."
              .formatted(perMinute.apply(tenant).getAsLong(), what),
          wait);
    }
  }

  private Bucket bucket(Tenant tenant, long limit) {
    if (limit < 1) {
      throw new IllegalArgumentException(
          "attune.quota: %s a minute must be at least 1, got %d".formatted(what, limit));
    }
    return buckets.computeIfAbsent(tenant, t -> new Bucket(limit, clock.instant()));
  }
}
