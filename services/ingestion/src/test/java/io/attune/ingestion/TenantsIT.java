package io.attune.ingestion;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.CutSnapshotRequest;
import io.attune.feedback.v1.CutSnapshotResponse;
import io.attune.feedback.v1.FeedbackServiceGrpc;
import io.attune.feedback.v1.GetStatisticsResponse;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.RatingRejected;
import io.attune.ingestion.rating.RatingSubmission;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.TestTokens;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two tenants in one service: the same ids, and nothing in common. */
@QuarkusTest
@WithTestResource(Infrastructure.class)
class TenantsIT {

  private static final Tenant ACME = new Tenant("acme");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Inject RatingSubmission submission;
  @Inject TenantTransactions transactions;

  private final TestTokens tokens = TestTokens.ofRunningTest();
  private final Topic topic = new Topic();

  @AfterEach
  void close() {
    topic.close();
  }

  @Test
  void theSameIdInTwoTenantsIsTwoRatings() {
    String rating = "{\"id\":\"twin\",\"dataset\":\"twins\",\"completion\":\"a\",\"score\":1}";
    for (String tenant : new String[] {"default", "acme"}) {
      post("/v1/feedback", tenant, rating).then().body("state", equalTo("STATE_ACCEPTED"));
    }
    post("/v1/feedback", "acme", rating).then().body("state", equalTo("STATE_DUPLICATE"));

    assertThat(submission.statistics(ACME, "twins").getAccepted()).isEqualTo(1);
    assertThat(submission.statistics(Tenant.DEFAULT, "twins").getAccepted()).isEqualTo(1);
    ConsumerRecord<String, byte[]> event =
        topic
            .awaitRecords(
                RatingAccepted.class, 2, accepted -> accepted.getRating().getId().equals("twin"))
            .stream()
            .filter(one -> EventRecords.tenant(one).equals(ACME))
            .findFirst()
            .orElseThrow();
    assertThat(EventRecords.id(event)).isEqualTo("acme/twin/accepted");
    assertThat(event.key()).isEqualTo("acme/twin");
  }

  @Test
  void snapshotsHoldTheTenantsRatingsAndNobodyElseKnowsThem() {
    post("/v1/feedback", "acme", "{\"dataset\":\"fenced\",\"completion\":\"acme's\",\"score\":1}");
    post("/v1/feedback", "acme", "{\"dataset\":\"fenced\",\"completion\":\"also\",\"score\":1}");
    post(
        "/v1/feedback",
        "globex",
        "{\"dataset\":\"fenced\",\"completion\":\"globex's\",\"score\":1}");

    Response cut = post("/v1/snapshots", "acme", "{\"dataset\":\"fenced\"}");
    cut.then().statusCode(200).body("ratings", equalTo(2));
    String id = cut.jsonPath().getString("id");

    assertThat(cut.jsonPath().getString("uri")).contains("/tenants/acme/snapshots/");
    get("/v1/snapshots/" + id, "acme").then().statusCode(200);
    get("/v1/snapshots/" + id, "globex").then().statusCode(404);
    get("/v1/snapshots?dataset=fenced", "globex").then().body("snapshots.size()", equalTo(0));
    post("/v1/snapshots", "default", "{\"dataset\":\"fenced\"}")
        .then()
        .body("error.code", equalTo("TOO_LITTLE_DATA"));
  }

  @Test
  void aTopicOfATenantCarriesItsRatings() {
    sendRating(
        "acme",
        null,
        "{\"id\":\"streamed\",\"dataset\":\"topic\",\"completion\":\"a\",\"score\":1}");

    await().atMost(PATIENCE).untilAsserted(() -> assertThat(accepted(ACME, "topic")).isEqualTo(1));
    assertThat(accepted(Tenant.DEFAULT, "topic")).isZero();
  }

  @Test
  void whoSaysToBeAnotherTenantThanTheTopicsIsRefused() {
    sendRating(
        "acme",
        "globex",
        "{\"id\":\"liar\",\"dataset\":\"lies\",\"completion\":\"a\",\"score\":1}");

    ConsumerRecord<String, byte[]> refused =
        topic
            .awaitRecords(
                RatingRejected.class, 1, r -> r.getPayload().toStringUtf8().contains("\"liar\""))
            .get(0);
    assertThat(EventRecords.tenant(refused)).isEqualTo(ACME);
    assertThat(EventRecords.decode(refused, RatingRejected.class).getFailure().getCode())
        .isEqualTo(ErrorCode.ERROR_CODE_MALFORMED);
    assertThat(accepted(new Tenant("globex"), "lies")).isZero();
    assertThat(accepted(ACME, "lies")).isZero();
  }

  @Test
  void aRatingWaitsForTheGenerationOfItsOwnTenant() {
    topic.sendEvent(Loop.generation("g-shared", "default's", "p"));
    await().atMost(PATIENCE).until(() -> generations(Tenant.DEFAULT) == 1);
    post(
            "/v1/feedback",
            "acme",
            "{\"id\":\"waits\",\"generation_id\":\"g-shared\",\"thumb\":\"THUMB_UP\"}")
        .then()
        .body("state", equalTo("STATE_PENDING"));

    topic.sendEvent(ACME, Loop.generation("g-shared", "acme's", "p"));

    RatingAccepted joined =
        topic.await(RatingAccepted.class, 1, r -> r.getRating().getId().equals("waits")).get(0);
    assertThat(joined.getRating().getConversationId()).isEqualTo("acme's");
  }

  @Test
  void aTokenWithoutATenantOpensNothing() {
    String token = tokens.token(tokens.claims("somebody", Set.of(Roles.VIEWER)).withTenant(null));

    given()
        .auth()
        .oauth2(token)
        .get("/v1/snapshots")
        .then()
        .statusCode(403)
        .body("error.code", equalTo("PERMISSION_DENIED"));
  }

  @Test
  void aServiceCutsForTheTenantThatItNamesAndNobodyElseDoes() {
    post("/v1/feedback", "acme", "{\"dataset\":\"asked\",\"completion\":\"a\",\"score\":1}");
    String service =
        tokens.token(
            tokens.claims("training", Set.of(Roles.TRAINER, Roles.SERVICE)).withTenant(null));
    String person = tokens.token(tokens.claims("eve", Set.of(Roles.TRAINER)).withTenant("globex"));

    assertThat(cutFor("acme", service).getSnapshot().getRatings()).isEqualTo(1);
    assertThatThrownBy(() -> cutFor("globex", service)).hasMessageContaining("no accepted ratings");
    assertThatThrownBy(() -> cutFor("acme", person)).hasMessageContaining("no accepted ratings");
  }

  private static CutSnapshotResponse cutFor(String tenant, String token) {
    URI url = URI.create(ConfigProvider.getConfig().getValue("test.url", String.class));
    Metadata headers = new Metadata();
    headers.put(header("authorization"), "Bearer " + token);
    headers.put(header(Tenant.HEADER), tenant);
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(url.getHost(), url.getPort()).usePlaintext().build();
    try {
      return FeedbackServiceGrpc.newBlockingStub(channel)
          .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
          .cutSnapshot(CutSnapshotRequest.newBuilder().setDataset("asked").build());
    } finally {
      channel.shutdownNow();
    }
  }

  private static Metadata.Key<String> header(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  private void sendRating(String ofTopic, String named, String json) {
    var kafka =
        new ProducerRecord<String, byte[]>("feedback.ratings.v1." + ofTopic, json.getBytes(UTF_8));
    if (named != null) {
      kafka.headers().add(EventRecords.TENANT, named.getBytes(UTF_8));
    }
    topic.send(kafka);
  }

  private long accepted(Tenant tenant, String dataset) {
    GetStatisticsResponse counts = submission.statistics(tenant, dataset);
    return counts.getAccepted();
  }

  private long generations(Tenant tenant) {
    return transactions.inTenant(
        tenant,
        handle ->
            handle
                .createQuery("SELECT count(*) FROM generations WHERE generation_id = 'g-shared'")
                .mapTo(Long.class)
                .one());
  }

  private Response post(String path, String tenant, String json) {
    return given()
        .auth()
        .oauth2(token(tenant))
        .contentType("application/json")
        .body(json)
        .post(path);
  }

  private Response get(String path, String tenant) {
    return given().auth().oauth2(token(tenant)).get(path);
  }

  private String token(String tenant) {
    return tokens.token(
        tokens
            .claims("somebody", Set.of(Roles.DATA_ENGINEER, Roles.TRAINER, Roles.VIEWER))
            .withTenant(tenant));
  }
}
