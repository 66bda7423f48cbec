package io.attune.ingestion;

import static io.attune.testkit.RecordedSpans.newTraceparent;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingRejected;
import io.attune.feedback.v1.SubmitRatingsRequest;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.LogCapture;
import io.attune.testkit.RecordedSpans;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What people wrote is in no log and no span, whatever becomes of it. */
@QuarkusTest
@TestProfile(Traced.class)
@WithTestResource(Infrastructure.class)
class NoUserTextIT {
  private static final String CANARY = "canary-7f3a";

  /** One that is taken, and such as are refused for every kind of reason. */
  private static final List<String> BODIES =
      List.of(
          "{\"completion\":\"CANARY\",\"prompt\":\"CANARY\",\"score\":1}",
          "{\"completion\":\"CANARY\",\"score\":\"CANARY\"}",
          "{\"completion\":\"CANARY\",\"score\":7}",
          "{\"completion\":\"CANARY\",\"CANARY\":1}",
          "{\"completion\":\"CANARY\",\"completion\":\"CANARY\"}",
          "{\"completion\":\"CANARY\",\"thumb\":\"CANARY\"}",
          "{\"completion\":\"CANARY\",\"score\":1,\"rated_time\":\"CANARY\"}",
          "{\"completion\":\"CANARY\\u0000\",\"score\":1}",
          "{\"completion\":\"CANARY",
          "CANARY",
          "[\"CANARY\"]",
          "{\"generation_id\":\"CANARY\\n\",\"score\":1,\"rater\":\"CANARY\\u0007\"}");

  @Inject RecordedSpans spans;
  @Inject TenantTransactions transactions;

  private final Topic topic = new Topic();
  private final Callers callers = new Callers();

  @AfterEach
  void close() {
    topic.close();
    callers.close();
  }

  @Test
  void byEveryDoor() {
    try (LogCapture log = LogCapture.start()) {
      for (String body : BODIES) {
        String text = body.replace("CANARY", CANARY);
        callers.post("/v1/feedback", "application/json", text, newTraceparent());
        callers.post("/v1/feedback", "application/x-ndjson", text + "\n" + text, newTraceparent());
        topic.send(new ProducerRecord<>("feedback.ratings.v1", CANARY, text.getBytes(UTF_8)));
      }
      callers.post("/v1/feedback", "text/plain", CANARY, newTraceparent());
      callers.post("/v1/snapshots", "application/json", "{\"" + CANARY, newTraceparent());
      callers
          .grpc(newTraceparent())
          .submitRatings(
              SubmitRatingsRequest.newBuilder()
                  .addRatings(Rating.newBuilder().setCompletion(CANARY).setScore(1))
                  .addRatings(Rating.newBuilder().setCompletion(CANARY).setScore(9))
                  .addRatings(Rating.newBuilder().setPrompt(CANARY).setRater(CANARY + "\n"))
                  .build());
      topic.sendEvent(Loop.generation(CANARY + "\u0000", "c", CANARY));
      topic.sendEvent(Loop.generation("g-quiet", "c", CANARY));
      ProducerRecord<String, byte[]> broken =
          EventRecords.encode(
              Tenant.DEFAULT,
              Loop.generation("g", "c", CANARY),
              CANARY,
              "test",
              java.time.Instant.EPOCH);
      topic.send(
          new ProducerRecord<>(
              broken.topic(), null, "c", (CANARY + "\u0001").getBytes(UTF_8), broken.headers()));
      topic.sendLines("{\"id\":\"last\",\"completion\":\"a\",\"score\":9}");
      topic.await(RatingRejected.class, 1, event -> event.getRatingId().equals("last"));
      awaitSpans();

      log.assertNever(CANARY);
    }
    assertThat(spans.all()).isNotEmpty();
    assertThat(spans.all())
        .noneMatch(
            span ->
                (span.getName() + span.getAttributes() + span.getEvents() + span.getStatus())
                    .contains(CANARY));
  }

  @Test
  void statementsThatFailDoNotQuoteTheirArguments() {
    assertThatThrownBy(
            () ->
                transactions.useTenant(
                    Tenant.DEFAULT,
                    handle ->
                        handle.execute(
                            "INSERT INTO ratings (rating_id, dataset, state) VALUES (?, ?, ?)",
                            CANARY,
                            CANARY,
                            "ACCEPTED")))
        .hasMessageContaining("null value")
        .satisfies(failure -> assertThat(stackTrace(failure)).doesNotContain(CANARY));
  }

  private void awaitSpans() {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> spans.all().stream().anyMatch(s -> s.getName().contains("rejected")));
  }

  private static String stackTrace(Throwable failure) {
    var text = new java.io.StringWriter();
    failure.printStackTrace(new java.io.PrintWriter(text, true));
    return text.toString();
  }
}
