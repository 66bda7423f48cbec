package io.attune.training;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.attune.testkit.Infrastructure;
import io.attune.testkit.TestTokens;
import io.attune.training.v1.CancelTrainingJobRequest;
import io.attune.training.v1.CreateTrainingJobRequest;
import io.attune.training.v1.GetTrainingJobRequest;
import io.attune.training.v1.ListTrainingJobsRequest;
import io.attune.training.v1.ListTrainingJobsResponse;
import io.attune.training.v1.TrainingJob;
import io.attune.training.v1.TrainingJob.State;
import io.attune.training.v1.TrainingServiceGrpc;
import io.attune.training.v1.TrainingServiceGrpc.TrainingServiceBlockingStub;
import io.attune.training.v1.WatchTrainingJobRequest;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.specification.RequestSpecification;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(Workers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class JobsIT {
  private static final String TWO_RATINGS =
      """
      {"rating_id":"a","rater":"ann","held_out":false,"prompt":"p","answers":[{"completion":"x"}],"score":1}
      {"rating_id":"b","rater":"ann","held_out":false,"prompt":"p","answers":[{"completion":"y"}],"score":0}
      """;

  private final String token =
      TestTokens.ofRunningTest().with("ann", "trainer", "viewer", "operator");
  private ManagedChannel channel;
  private TrainingServiceBlockingStub jobs;

  @BeforeEach
  void connect() {
    URI url = URI.create(ConfigProvider.getConfig().getValue("test.url", String.class));
    channel = ManagedChannelBuilder.forAddress(url.getHost(), url.getPort()).usePlaintext().build();
    Metadata headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    jobs =
        TrainingServiceGrpc.newBlockingStub(channel)
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  @AfterEach
  void disconnect() {
    channel.shutdownNow();
  }

  @Test
  void tooLittleDataFailsTheJobWithTheCounts() {
    Ingestion.holds(Optional.of(TWO_RATINGS));

    TrainingJob job = awaitState(create("little"), State.STATE_FAILED);

    assertThat(job.getFailure().getMessage()).contains("of 2 ratings", "1 rows", "16 are needed");
    assertThat(job.getSnapshot().getSha256()).hasSize(64);
  }

  @Test
  void aWatchTellsEveryStateUntilTheLast() {
    Ingestion.holds(Optional.of(TWO_RATINGS));
    String id = create("watched");

    List<State> states = new ArrayList<>();
    jobs.watchTrainingJob(WatchTrainingJobRequest.newBuilder().setId(id).build())
        .forEachRemaining(change -> states.add(change.getJob().getState()));

    assertThat(states).endsWith(State.STATE_TRAINING, State.STATE_FAILED).isSorted();
  }

  @Test
  void theSameRequestMakesOneJob() {
    Ingestion.holds(Optional.empty());
    CreateTrainingJobRequest request = request("once");

    TrainingJob first = jobs.createTrainingJob(request).getJob();
    TrainingJob second = jobs.createTrainingJob(request).getJob();

    assertThat(second.getId()).isEqualTo(first.getId());
    assertThat(first.getCreatedBy()).isEqualTo("ann");
    assertThat(list("once").getJobsList()).hasSize(1);
    cancel(first.getId());
  }

  @Test
  void aJobWaitsForIngestionAndForTheJobBeforeIt() {
    Ingestion.holds(Optional.empty());
    String first = create("patient");
    CreateTrainingJobRequest.Builder after = request("patient").toBuilder();
    after.getSpecBuilder().setAfterJobId(first);
    String second = jobs.createTrainingJob(after.build()).getJob().getId();

    assertThat(get(first).getState()).isEqualTo(State.STATE_QUEUED);
    Ingestion.holds(Optional.of(TWO_RATINGS));

    TrainingJob ended = awaitState(second, State.STATE_FAILED);
    assertThat(get(first).getState()).isEqualTo(State.STATE_FAILED);
    assertThat(java.time.Instant.ofEpochSecond(ended.getUpdateTime().getSeconds()))
        .isAfterOrEqualTo(java.time.Instant.ofEpochSecond(get(first).getUpdateTime().getSeconds()));
  }

  @Test
  void aPolicyThatNothingCouldJudgeIsNotTrained() {
    Ingestion.holds(Optional.of(TWO_RATINGS));
    CreateTrainingJobRequest.Builder reward = request("unjudged-reward").toBuilder();
    reward.getSpecBuilder().getRewardBuilder();
    String first = jobs.createTrainingJob(reward.build()).getJob().getId();
    CreateTrainingJobRequest.Builder policy = request("unjudged").toBuilder();
    policy.getSpecBuilder().setAfterJobId(first);
    String second = jobs.createTrainingJob(policy.build()).getJob().getId();

    TrainingJob ended = awaitState(second, State.STATE_FAILED);

    assertThat(ended.getFailure().getMessage())
        .contains("No version of line reward is released", first, "of 2 ratings");
    assertThat(ended.hasSnapshot()).isFalse();
  }

  @Test
  void aCancelledJobStaysCancelled() {
    Ingestion.holds(Optional.empty());
    String id = create("stopped");

    assertThat(cancel(id).getState()).isEqualTo(State.STATE_CANCELLED);
    Ingestion.holds(Optional.of(TWO_RATINGS));

    assertThat(cancel(id).getState()).isEqualTo(State.STATE_CANCELLED);
    String next = create("stopped");
    awaitState(next, State.STATE_FAILED);
    assertThat(get(id).getState()).isEqualTo(State.STATE_CANCELLED);
  }

  @Test
  void pagesHoldEveryJobOnceNewestFirst() {
    Ingestion.holds(Optional.empty());
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      made.add(0, create("paged"));
    }

    List<String> listed = new ArrayList<>();
    ListTrainingJobsRequest.Builder page =
        ListTrainingJobsRequest.newBuilder().setLine("paged").setPageSize(2);
    do {
      ListTrainingJobsResponse found = jobs.listTrainingJobs(page.build());
      found.getJobsList().forEach(job -> listed.add(job.getId()));
      page.setPageToken(found.getNextPageToken());
    } while (!page.getPageToken().isEmpty());

    assertThat(listed).isEqualTo(made);
    made.forEach(this::cancel);
  }

  @Test
  void mistakesAreNamed() {
    assertThatThrownBy(() -> get(UUID.randomUUID().toString()))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND));
    assertThatThrownBy(() -> get("7")).hasMessageContaining("`id` must be a UUID");
    String other = create("kinds");
    CreateTrainingJobRequest.Builder reward = request("kinds").toBuilder();
    reward.getSpecBuilder().getRewardBuilder();
    assertThatThrownBy(() -> jobs.createTrainingJob(reward.build()))
        .hasMessageContaining("Line kinds is LINE_KIND_POLICY");
    cancel(other);
  }

  @Test
  void restTakesAndGivesTheSameMessages() {
    Ingestion.holds(Optional.of(TWO_RATINGS));
    String body =
        "{\"request_id\":\"%s\",\"spec\":{\"line\":\"rest\",\"dpo\":{}}}"
            .formatted(UUID.randomUUID());

    String id =
        rest().body(body).post("/v1/training/jobs").then().statusCode(200).extract().path("id");

    rest().get("/v1/training/jobs?line=rest").then().body("jobs[0].id", equalTo(id));
    String events =
        rest().accept("text/event-stream").get("/v1/training/jobs/" + id + "/watch").asString();
    assertThat(events).contains("data:").contains("STATE_FAILED");
    rest()
        .get("/v1/training/jobs/" + id)
        .then()
        .body("state", equalTo("STATE_FAILED"))
        .body("failure.code", equalTo("ERROR_CODE_TOO_LITTLE_DATA"));
    rest()
        .post("/v1/training/jobs/" + id + "/cancel")
        .then()
        .body("state", equalTo("STATE_FAILED"));
    rest()
        .body("{\"spec\":{\"line\":\"rest\",\"dpo\":{\"betta\":1}}}")
        .post("/v1/training/jobs")
        .then()
        .statusCode(400)
        .body("error.code", equalTo("MALFORMED"))
        .body("error.message", containsString("betta"));
    rest().get("/v1/adapters/nowhere").then().statusCode(404);
    rest().get("/v1/adapters/rest").then().statusCode(200);
  }

  private RequestSpecification rest() {
    return given().auth().oauth2(token).contentType(ContentType.JSON);
  }

  private String create(String line) {
    return jobs.createTrainingJob(request(line)).getJob().getId();
  }

  private static CreateTrainingJobRequest request(String line) {
    CreateTrainingJobRequest.Builder request =
        CreateTrainingJobRequest.newBuilder().setRequestId(UUID.randomUUID().toString());
    request.getSpecBuilder().setLine(line).getDpoBuilder();
    return request.build();
  }

  private TrainingJob get(String id) {
    return jobs.getTrainingJob(GetTrainingJobRequest.newBuilder().setId(id).build()).getJob();
  }

  private ListTrainingJobsResponse list(String line) {
    return jobs.listTrainingJobs(ListTrainingJobsRequest.newBuilder().setLine(line).build());
  }

  private TrainingJob cancel(String id) {
    return jobs.cancelTrainingJob(CancelTrainingJobRequest.newBuilder().setId(id).build()).getJob();
  }

  private TrainingJob awaitState(String id, State state) {
    return await("job " + id + " to be " + state)
        .atMost(Duration.ofSeconds(90))
        .until(() -> get(id), job -> job.getState() == state);
  }
}
