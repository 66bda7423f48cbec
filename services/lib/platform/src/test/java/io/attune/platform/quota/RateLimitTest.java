package io.attune.platform.quota;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RateLimitTest {

  private static final Tenant ACME = new Tenant("acme");
  private static final Tenant FREE = new Tenant("free");

  private Instant now = Instant.EPOCH;
  private final RateLimit limit =
      new RateLimit(
          tenant -> tenant.equals(FREE) ? OptionalLong.empty() : OptionalLong.of(60),
          "ratings",
          () -> now);

  @Test
  void aMinutesWorthIsThereAtOnceAndFillsEvenly() {
    limit.take(ACME, 59);
    assertThat(limit.untilFree(ACME)).isZero();
    limit.take(ACME, 1);
    assertThat(limit.untilFree(ACME)).isEqualTo(Duration.ofSeconds(1));

    now = now.plusSeconds(1);
    assertThat(limit.untilFree(ACME)).isZero();
  }

  @Test
  void aDebtIsPaidBeforeAnythingElse() {
    limit.take(ACME, 90);

    assertThat(limit.untilFree(ACME)).isEqualTo(Duration.ofSeconds(31));
    now = now.plusSeconds(30);
    assertThat(limit.untilFree(ACME)).isEqualTo(Duration.ofSeconds(1));
    assertThatThrownBy(() -> limit.require(ACME))
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_QUOTA_EXCEEDED);
              assertThat(refused.retrySeconds()).isEqualTo(1);
            });
  }

  @Test
  void noTenantPaysForAnother() {
    limit.take(ACME, 1000);
    limit.take(FREE, 1_000_000);

    assertThat(limit.untilFree(new Tenant("globex"))).isZero();
    assertThat(limit.untilFree(FREE)).isZero();
  }

  @Test
  void whatIsNotUsedDoesNotPileUp() {
    limit.take(ACME, 1);
    now = now.plus(Duration.ofHours(1));
    limit.take(ACME, 61);

    assertThat(limit.untilFree(ACME)).isEqualTo(Duration.ofSeconds(2));
  }
}
