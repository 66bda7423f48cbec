package io.attune.ingestion;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.Choice;
import io.attune.feedback.v1.GetStatisticsResponse;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.RatingRejected;
import io.attune.ingestion.rating.RatingSubmission;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(Infrastructure.class)
class RatingsTopicIT {

  @Inject RatingSubmission submission;
  @Inject TenantTransactions transactions;

  private final Topic topic = new Topic();

  @AfterEach
  void close() {
    topic.close();
  }

  @Test
  void aPlainLineBecomesAnAcceptedRating() {
    topic.sendLines("{\"id\":\"plain\",\"prompt\":\"p\",\"completion\":\"a\",\"score\":0.5}");

    RatingAccepted accepted = accepted("plain");
    assertThat(accepted.getAnswers(0).getCompletion()).isEqualTo("a");
    assertThat(accepted.getAnswers(0).getPrompt().getText()).isEqualTo("p");
    assertThat(accepted.getRating().getConversationId()).isEqualTo("plain");
    assertThat(accepted.getRating().getDataset()).isEqualTo("default");
    assertThat(accepted.getRating().hasRatedTime()).isTrue();
  }

  @Test
  void protobufIsTakenToo() {
    Rating rating = Rating.newBuilder().setId("proto").setCompletion("a").setScore(1).build();
    var record =
        new ProducerRecord<>("feedback.ratings.v1", "conversation-7", rating.toByteArray());
    record.headers().add(EventRecords.CONTENT_TYPE, EventRecords.PROTOBUF.getBytes(UTF_8));
    topic.send(record);

    assertThat(accepted("proto").getRating().getConversationId()).isEqualTo("conversation-7");
  }

  @Test
  void repeatsCountOnce() {
    GetStatisticsResponse before = submission.statistics(Tenant.DEFAULT, "repeats");
    String line = "{\"dataset\":\"repeats\",\"completion\":\"same\",\"score\":0.5}";
    topic.sendLines(line, line, line);
    topic.sendLines(line);

    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              GetStatisticsResponse now = submission.statistics(Tenant.DEFAULT, "repeats");
              assertThat(now.getAccepted()).isEqualTo(1);
              assertThat(now.getDuplicates() - before.getDuplicates()).isEqualTo(3);
            });
  }

  @Test
  void refusedRecordsAreFoundWithTheirReason() {
    topic.sendLines("{\"id\":\"bad-score\",\"completion\":\"a\",\"score\":7}", "no json: marker-1");
    topic.send(new ProducerRecord<>("feedback.ratings.v1", "null-value", null));

    var score =
        topic
            .awaitRecords(RatingRejected.class, 1, r -> r.getRatingId().equals("bad-score"))
            .get(0);
    RatingRejected event = EventRecords.decode(score, RatingRejected.class);
    assertThat(event.getFailure().getCode()).isEqualTo(ErrorCode.ERROR_CODE_INVALID_ARGUMENT);
    assertThat(event.getFailure().getMessage()).contains("score");
    assertThat(event.getSource()).isEqualTo("feedback.ratings.v1");
    assertThat(EventRecords.header(score.headers(), EventRecords.ERROR_CODE))
        .isEqualTo("INVALID_ARGUMENT");
    assertThat(
            topic.await(
                RatingRejected.class, 1, r -> r.getPayload().toStringUtf8().contains("marker-1")))
        .allMatch(r -> r.getFailure().getCode() == ErrorCode.ERROR_CODE_MALFORMED);
    assertThat(
            topic.await(RatingRejected.class, 1, r -> r.getConversationId().equals("null-value")))
        .hasSize(1);
  }

  @Test
  void aRatingJoinsItsGeneration() {
    topic.sendEvent(Loop.generation("g-before", "c-before", "p"));
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> count("SELECT count(*) FROM generations WHERE generation_id = 'g-before'") == 1);
    topic.sendLines("{\"id\":\"joined\",\"generation_id\":\"g-before\",\"thumb\":\"THUMB_UP\"}");

    RatingAccepted accepted = accepted("joined");
    assertThat(accepted.getRating().getConversationId()).isEqualTo("c-before");
    assertThat(accepted.getAnswers(0).getCompletion()).isEqualTo("answer of g-before");
    assertThat(accepted.getAnswers(0).getAdapter().getVersion()).isEqualTo(3);
  }

  @Test
  void aRatingWaitsForItsGeneration() {
    topic.sendLines("{\"id\":\"early\",\"generation_id\":\"g-late\",\"score\":1}");
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> count("SELECT count(*) FROM pending_ratings WHERE rating_id = 'early'") == 1);
    topic.sendEvent(Loop.generation("g-late", "c-late", "p"));

    assertThat(accepted("early").getRating().getConversationId()).isEqualTo("c-late");
    assertThat(count("SELECT count(*) FROM pending_ratings WHERE rating_id = 'early'")).isZero();
  }

  @Test
  void aChoiceAmongAnswersToDifferentPromptsIsRefused() {
    topic.sendEvent(Loop.generation("g-one", "c", "p1"));
    topic.sendEvent(Loop.generation("g-two", "c", "p2"));
    Rating rating =
        Rating.newBuilder()
            .setId("mixed")
            .setChoice(Choice.newBuilder().addGenerationIds("g-one").addGenerationIds("g-two"))
            .build();
    topic.send(new ProducerRecord<>("feedback.ratings.v1", rating.toByteArray()));

    assertThat(topic.await(RatingRejected.class, 1, r -> r.getRatingId().equals("mixed")))
        .allMatch(r -> r.getFailure().getMessage().contains("one prompt"));
  }

  private RatingAccepted accepted(String id) {
    return topic.await(RatingAccepted.class, 1, a -> a.getRating().getId().equals(id)).get(0);
  }

  private long count(String query) {
    return transactions.inTenant(
        Tenant.DEFAULT, handle -> handle.createQuery(query).mapTo(Long.class).one());
  }
}
