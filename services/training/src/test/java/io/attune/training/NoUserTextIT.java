package io.attune.training;

import static io.attune.testkit.RecordedSpans.newTraceparent;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Failure;
import io.attune.common.v1.Prompt;
import io.attune.feedback.v1.RatedAnswer;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.TraceParent;
import io.attune.serving.v1.Generation;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.LogCapture;
import io.attune.testkit.RecordedSpans;
import io.attune.testkit.TestTokens;
import io.attune.training.job.Job;
import io.attune.training.job.Jobs;
import io.attune.training.v1.RolloutScored;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;

/** What people wrote is in no log and no span: of the service, and of a job's process. */
@QuarkusTest
@TestProfile(Traced.WithWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class NoUserTextIT {
  private static final String CANARY = "canary7f3a";
  private static final Duration LIMIT = Duration.ofSeconds(90);

  /** Rows that are of use, and such as no reader takes. */
  private static final List<String> SNAPSHOTS =
      List.of(
          """
          {"rating_id":"a","rater":"ann","held_out":false,"prompt":"CANARY","answers":[{"completion":"CANARY"}],"score":1}
          """,
          """
          {"rating_id":"a","rater":"ann","held_out":"CANARY","prompt":7,"answers":"CANARY","score":"CANARY"}
          """,
          "{\"rating_id\":\"a\",\"prompt\":\"CANARY",
          "CANARY");

  private static final List<String> BODIES =
      List.of(
          "CANARY",
          "{\"CANARY\":1}",
          "{\"spec\":{\"line\":\"quiet\",\"CANARY\":{}}}",
          "{\"spec\":{\"line\":\"quiet\",\"dpo\":\"CANARY\"}}",
          "{\"spec\":{\"line\":\"CANARY\\n\",\"dpo\":{}},\"request_id\":\"CANARY\"}",
          "{\"spec\":{\"line\":\"quiet\",\"arguments\":{\"seed\":\"CANARY\"}}}",
          "{\"spec\":{\"line\":\"CANARY");

  @Inject RecordedSpans spans;
  @Inject Jobs jobs;
  @Inject TenantTransactions transactions;
  @Inject TrainingConfig config;

  private final String token = TestTokens.ofRunningTest().with("ann", "trainer", "viewer");

  @Test
  void byEveryDoorAndFromEveryTopic() throws Exception {
    try (LogCapture log = LogCapture.start()) {
      for (String body : BODIES) {
        int status =
            given()
                .auth()
                .oauth2(token)
                .header(TraceParent.HEADER, newTraceparent())
                .contentType("application/json")
                .body(body.replace("CANARY", CANARY).getBytes(UTF_8))
                .post("/v1/training/jobs")
                .statusCode();
        assertThat(status).as(body).isEqualTo(400);
      }
      Topic.send("ingestion", List.of(accepted("quiet-1")));
      Topic.send("reward", List.of(scored(), scoredWithFailure()));
      sendBroken();
      Topic.send("ingestion", List.of(accepted("quiet-2")));
      await().atMost(LIMIT).until(this::counted, count -> count == 2);

      log.assertNever(CANARY);
    }
    assertSpansAreQuiet();
  }

  @Test
  void fromAJobsProcess() throws IOException {
    try (LogCapture log = LogCapture.start()) {
      for (String snapshot : SNAPSHOTS) {
        Ingestion.holds(Optional.of(snapshot.replace("CANARY", CANARY)));
        Job job =
            jobs.create(
                Tenant.DEFAULT,
                UUID.randomUUID().toString(),
                Messages.fromJson(
                        "{\"line\":\"quiet\",\"dpo\":{}}",
                        io.attune.training.v1.TrainingSpec.newBuilder())
                    .build(),
                "ann");
        await().atMost(LIMIT).until(() -> jobs.get(Tenant.DEFAULT, job.id().toString()).isFinal());
        Path said = config.folder().resolve(job.id().toString()).resolve("worker.log");
        assertThat(Files.readString(said)).contains("traceparent=").doesNotContain(CANARY);
      }

      log.assertNever(CANARY);
      assertThat(log.lines()).anyMatch(line -> line.contains("worker ended"));
    }
    assertSpansAreQuiet();
  }

  private void assertSpansAreQuiet() {
    assertThat(spans.all()).isNotEmpty();
    assertThat(spans.all())
        .noneMatch(
            span ->
                (span.getName() + span.getAttributes() + span.getEvents() + span.getStatus())
                    .contains(CANARY));
  }

  private static RatingAccepted accepted(String id) {
    return RatingAccepted.newBuilder()
        .setRating(
            Rating.newBuilder()
                .setId(id)
                .setDataset("quiet")
                .setConversationId("c")
                .setRater(CANARY)
                .setScore(0.5))
        .addAnswers(
            RatedAnswer.newBuilder()
                .setPrompt(Prompt.newBuilder().setText(CANARY))
                .setCompletion(CANARY))
        .build();
  }

  private static RolloutScored scored() {
    return RolloutScored.newBuilder()
        .setRolloutId(UUID.randomUUID() + "/gate/candidate/0/1")
        .setJobId(UUID.randomUUID().toString())
        .addGenerations(Generation.newBuilder().setCompletion(CANARY))
        .build();
  }

  private static RolloutScored scoredWithFailure() {
    return scored().toBuilder()
        .setFailure(
            Failure.newBuilder()
                .setCode(ErrorCode.ERROR_CODE_INTERNAL)
                .setMessage("reward's own words"))
        .build();
  }

  /** Of the right type, and nothing that could be read. */
  private static void sendBroken() throws InterruptedException, ExecutionException {
    String servers = ConfigProvider.getConfig().getValue("kafka.bootstrap.servers", String.class);
    try (KafkaProducer<String, byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", servers),
            new StringSerializer(),
            new ByteArraySerializer())) {
      for (var event : List.of(accepted("broken"), scored())) {
        var good = EventRecords.encode(Tenant.DEFAULT, event, CANARY, "test", Instant.now());
        producer
            .send(
                new ProducerRecord<>(
                    good.topic(),
                    null,
                    CANARY,
                    (CANARY + "\u0001").getBytes(UTF_8),
                    good.headers()))
            .get();
      }
    }
  }

  private long counted() {
    return transactions.inTenant(
        Tenant.DEFAULT,
        handle ->
            handle
                .createQuery("select ratings from trigger_count where dataset = 'quiet'")
                .mapTo(Long.class)
                .findOne()
                .orElse(0L));
  }
}
