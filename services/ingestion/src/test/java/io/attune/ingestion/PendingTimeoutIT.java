package io.attune.ingestion;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.RatingRejected;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.util.Map;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(Infrastructure.class)
@TestProfile(PendingTimeoutIT.Impatient.class)
class PendingTimeoutIT {

  @Inject TenantTransactions transactions;

  /** Waits almost not at all. */
  public static final class Impatient implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
      return Map.of(
          "attune.ingestion.pending-timeout", "10ms",
          "attune.ingestion.pending-sweep-interval", "50ms");
    }
  }

  @Test
  void aRatingWhoseGenerationDoesNotComeIsRefusedAndCanBeSentAgain() {
    try (Topic topic = new Topic()) {
      String line = "{\"id\":\"orphan\",\"generation_id\":\"g-never\",\"score\":1}";
      topic.sendLines(line);
      assertThat(topic.await(RatingRejected.class, 1, r -> r.getRatingId().equals("orphan")))
          .allMatch(r -> r.getFailure().getCode() == ErrorCode.ERROR_CODE_GENERATION_UNKNOWN)
          .allMatch(r -> r.getPayload().toStringUtf8().equals(line));

      topic.sendLines(line);
      topic.await(RatingRejected.class, 2, r -> r.getRatingId().equals("orphan"));
    }
    long rows =
        transactions.inTenant(
            Tenant.DEFAULT,
            h ->
                h.createQuery("SELECT count(*) FROM ratings WHERE rating_id = 'orphan'")
                    .mapTo(Long.class)
                    .one());
    assertThat(rows).isZero();
  }
}
