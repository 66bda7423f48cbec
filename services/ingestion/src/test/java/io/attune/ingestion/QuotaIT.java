package io.attune.ingestion;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import io.attune.ingestion.rating.RatingSubmission;
import io.attune.platform.event.Topics;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.TestTokens;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

/** Too many calls are refused, too many records wait, and other tenants notice neither. */
@QuarkusTest
@WithTestResource(Infrastructure.class)
@TestProfile(QuotaIT.Bounded.class)
class QuotaIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Tenant STREAMING = new Tenant("streaming");

  @Inject RatingSubmission submission;

  private final TestTokens tokens = TestTokens.ofRunningTest();

  /** Numbers that a test reaches. */
  public static final class Bounded implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
      return Map.of(
          "attune.ingestion.rating-batch", "1",
          "attune.quota.tenants.calling.ratings-per-minute", "1",
          "attune.quota.tenants.streaming.ratings-per-minute", "60",
          "attune.quota.tenants.full.stored-ratings", "2");
    }
  }

  @Test
  void callsBeyondTheRateAreToldWhenToComeAgain() {
    rate("calling", "one").then().statusCode(200);

    Response refused = rate("calling", "two");

    refused.then().statusCode(429).body("error.code", equalTo("QUOTA_EXCEEDED"));
    assertThat(Integer.parseInt(refused.header("Retry-After"))).isBetween(30, 61);
    rate("somebody-else", "one").then().statusCode(200);
    rate("somebody-else", "two").then().statusCode(200);
  }

  @Test
  void thereIsRoomForSoManyRatings() {
    rate("full", "one").then().statusCode(200);
    rate("full", "two").then().statusCode(200);

    rate("full", "three").then().statusCode(429);
  }

  @Test
  void recordsBeyondTheRateWaitAndAreNotLost() {
    int sent = 63;
    try (Topic topic = new Topic()) {
      for (int i = 0; i < sent; i++) {
        String json = "{\"id\":\"s%d\",\"completion\":\"a\",\"score\":1}".formatted(i);
        topic.send(new ProducerRecord<>(Topics.ratingsOf(STREAMING), json.getBytes(UTF_8)));
      }
    }

    await().atMost(PATIENCE).until(() -> accepted() >= 60);
    long atFirst = System.nanoTime();
    await().atMost(PATIENCE).until(() -> accepted() == sent);
    // The last of three is a second away from the second, as the rate says.
    assertThat(Duration.ofNanos(System.nanoTime() - atFirst)).isGreaterThan(Duration.ofMillis(500));
  }

  private long accepted() {
    return submission.statistics(STREAMING, "default").getAccepted();
  }

  private Response rate(String tenant, String id) {
    String token =
        tokens.token(tokens.claims("eve", Set.of(Roles.DATA_ENGINEER)).withTenant(tenant));
    return given()
        .auth()
        .oauth2(token)
        .contentType("application/json")
        .body("{\"id\":\"%s\",\"completion\":\"a\",\"score\":1}".formatted(id))
        .post("/v1/feedback");
  }
}
