package io.attune.platform.quota;

import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.platform.quota.QuotaConfig.Limits;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.function.Function;

/** The numbers of each tenant, its own or everybody's. */
@ApplicationScoped
public class Quotas {

  /** For what goes only when somebody makes room. */
  private static final Duration WHEN_ROOM_IS_MADE = Duration.ofMinutes(1);

  private final QuotaConfig config;

  public Quotas(QuotaConfig config) {
    this.config = config;
    // A name that can be no tenant's is an error at start, not a quota that never applies.
    config.tenants().keySet().forEach(Tenant::new);
  }

  /** A tenant's limit; empty for none. */
  public OptionalLong limit(Tenant tenant, Function<Limits, OptionalLong> which) {
    Limits own = config.tenants().get(tenant.name());
    OptionalLong limit = own == null ? OptionalLong.empty() : which.apply(own);
    return limit.isPresent() ? limit : which.apply(config.everybody());
  }

  /**
   * Refuses one more of something that stays.
   *
   * @param have how many there are
   * @param what they are, in the plural
   * @throws PlatformException QUOTA_EXCEEDED if there are as many as there may be
   */
  public void requireRoom(
      Tenant tenant, Function<Limits, OptionalLong> which, long have, String what) {
    OptionalLong limit = limit(tenant, which);
    if (limit.isPresent() && have >= limit.getAsLong()) {
      throw PlatformException.quotaExceeded(
          "The tenant has %d %s, and may have %d.".formatted(have, what, limit.getAsLong()),
          WHEN_ROOM_IS_MADE);
    }
  }
}
