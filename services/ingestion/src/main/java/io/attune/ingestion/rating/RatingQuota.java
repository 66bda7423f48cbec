package io.attune.ingestion.rating;

import io.attune.platform.database.TenantTransactions;
import io.attune.platform.identity.Tenant;
import io.attune.platform.quota.QuotaConfig.Limits;
import io.attune.platform.quota.Quotas;
import io.attune.platform.quota.RateLimit;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.util.OptionalLong;

/**
 * How many ratings a tenant may send. Calls beyond that are refused; records of topics stay there
 * until there is room.
 */
@ApplicationScoped
public class RatingQuota {

  /** Room for more is made by somebody, so that looking often is of no use. */
  private static final Duration WHEN_FULL = Duration.ofSeconds(30);

  private final Quotas quotas;
  private final RatingStore store;
  private final TenantTransactions transactions;
  private final RateLimit rate;

  RatingQuota(Quotas quotas, RatingStore store, TenantTransactions transactions, Clock clock) {
    this.quotas = quotas;
    this.store = store;
    this.transactions = transactions;
    this.rate =
        new RateLimit(tenant -> quotas.limit(tenant, Limits::ratingsPerMinute), "ratings", clock);
  }

  /**
   * @throws io.attune.platform.error.PlatformException QUOTA_EXCEEDED if the tenant may send none
   *     now
   */
  void require(Tenant tenant) {
    rate.require(tenant);
    if (quotas.limit(tenant, Limits::storedRatings).isPresent()) {
      quotas.requireRoom(tenant, Limits::storedRatings, stored(tenant), "ratings");
    }
  }

  /** How long the tenant's records stay in its topic. */
  Duration untilFree(Tenant tenant) {
    OptionalLong most = quotas.limit(tenant, Limits::storedRatings);
    if (most.isPresent() && stored(tenant) >= most.getAsLong()) {
      return WHEN_FULL;
    }
    return rate.untilFree(tenant);
  }

  /** Counts what was taken, whatever became of it. */
  void taken(Tenant tenant, int ratings) {
    rate.take(tenant, ratings);
  }

  private long stored(Tenant tenant) {
    return transactions.inTenant(tenant, store::accepted);
  }
}
