package io.attune.ingestion;

import static io.attune.testkit.RecordedSpans.newTraceparent;
import static io.attune.testkit.RecordedSpans.spanId;
import static io.attune.testkit.RecordedSpans.traceId;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Message;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.RatingRejected;
import io.attune.feedback.v1.SubmitRatingsRequest;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.TraceParent;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.RecordedSpans;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What becomes of a rating belongs to the trace that it came with, by whichever door. */
@QuarkusTest
@TestProfile(Traced.class)
@WithTestResource(Infrastructure.class)
class TraceIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);

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
  void overHttp() {
    String caller = newTraceparent();

    callers
        .post(
            "/v1/feedback",
            "application/json",
            "{\"id\":\"traced-http\",\"completion\":\"a\",\"score\":1}",
            caller)
        .then()
        .statusCode(200);

    SpanData sent = sent(accepted("traced-http"), caller);
    SpanData served = parent(sent);
    assertThat(served.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(served.getParentSpanId()).isEqualTo(spanId(caller));
  }

  @Test
  void overGrpc() {
    String caller = newTraceparent();
    Rating rating = Rating.newBuilder().setId("traced-grpc").setCompletion("a").setScore(1).build();

    callers
        .grpc(caller)
        .submitRatings(SubmitRatingsRequest.newBuilder().addRatings(rating).build());

    SpanData served = parent(sent(accepted("traced-grpc"), caller));
    assertThat(served.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(spans.of(traceId(caller)))
        .extracting(SpanData::getName)
        .contains("attune.feedback.v1.FeedbackService/SubmitRatings");
  }

  @Test
  void overTheTopicEachRatingOfABatchHasItsOwn() {
    List<String> ids = List.of("batch-1", "batch-2", "batch-3");
    List<String> writers = ids.stream().map(id -> newTraceparent()).toList();
    for (int i = 0; i < ids.size(); i++) {
      topic.send(
          rating("{\"id\":\"%s\",\"completion\":\"a\",\"score\":1}".formatted(ids.get(i)))
              .apply(writers.get(i)));
    }

    for (int i = 0; i < ids.size(); i++) {
      SpanData processed = parent(sent(accepted(ids.get(i)), writers.get(i)));
      assertThat(processed.getName()).isEqualTo("process feedback.ratings.v1");
      assertThat(processed.getKind()).isEqualTo(SpanKind.CONSUMER);
      assertThat(processed.getParentSpanId()).isEqualTo(spanId(writers.get(i)));
      assertThat(processed.getAttributes().get(AttributeKey.stringKey("messaging.system")))
          .isEqualTo("kafka");
    }
  }

  @Test
  void aRatingWithoutATraceBeginsOne() {
    topic.sendLines("{\"id\":\"untraced\",\"completion\":\"a\",\"score\":1}");

    String traceparent = header(accepted("untraced"));

    SpanData processed =
        await()
            .atMost(LIMIT)
            .until(
                () ->
                    spans.of(traceId(traceparent)).stream()
                        .filter(span -> span.getKind() == SpanKind.CONSUMER)
                        .toList(),
                found -> found.size() == 1)
            .get(0);
    assertThat(processed.getParentSpanContext().isValid()).isFalse();
  }

  @Test
  void aRefusedRatingToo() {
    String writer = newTraceparent();

    topic.send(rating("{\"id\":\"traced-bad\",\"completion\":\"a\",\"score\":7}").apply(writer));

    ConsumerRecord<String, byte[]> refused =
        only(RatingRejected.class, event -> event.getRatingId().equals("traced-bad"));
    assertThat(parent(sent(refused, writer)).getParentSpanId()).isEqualTo(spanId(writer));
  }

  @Test
  void aRatingThatWaitedContinuesItsOwnTraceAndNotItsGenerations() {
    String writer = newTraceparent();
    topic.send(
        rating("{\"id\":\"traced-early\",\"generation_id\":\"traced-late\",\"score\":1}")
            .apply(writer));
    await()
        .atMost(LIMIT)
        .until(
            () ->
                transactions.inTenant(
                        Tenant.DEFAULT,
                        handle ->
                            handle
                                .createQuery(
                                    "SELECT count(*) FROM pending_ratings"
                                        + " WHERE rating_id = 'traced-early'")
                                .mapTo(Long.class)
                                .one())
                    == 1);
    ProducerRecord<String, byte[]> generation =
        EventRecords.encode(
            Tenant.DEFAULT,
            Loop.generation("traced-late", "c", "p"),
            "g",
            "test",
            java.time.Instant.EPOCH);
    generation.headers().add(TraceParent.HEADER, newTraceparent().getBytes(UTF_8));
    topic.send(generation);

    SpanData processed = parent(sent(accepted("traced-early"), writer));
    assertThat(processed.getName()).isEqualTo("process feedback.ratings.v1");
  }

  private static java.util.function.Function<String, ProducerRecord<String, byte[]>> rating(
      String json) {
    return traceparent -> {
      var kafka = new ProducerRecord<String, byte[]>("feedback.ratings.v1", json.getBytes(UTF_8));
      kafka.headers().add(TraceParent.HEADER, traceparent.getBytes(UTF_8));
      return kafka;
    };
  }

  private ConsumerRecord<String, byte[]> accepted(String id) {
    return only(RatingAccepted.class, event -> event.getRating().getId().equals(id));
  }

  private <M extends Message> ConsumerRecord<String, byte[]> only(
      Class<M> type, Predicate<M> wanted) {
    return topic.awaitRecords(type, 1, wanted).get(0);
  }

  private static String header(ConsumerRecord<String, byte[]> kafka) {
    String traceparent = EventRecords.header(kafka.headers(), TraceParent.HEADER);
    assertThat(traceparent).isNotNull();
    return traceparent;
  }

  /** The span that sent a record: of the trace of whoever brought it about. */
  private SpanData sent(ConsumerRecord<String, byte[]> kafka, String by) {
    String traceparent = header(kafka);
    assertThat(traceId(traceparent)).isEqualTo(traceId(by));
    SpanData sent = span(traceId(traceparent), spanId(traceparent));
    assertThat(sent.getName()).isEqualTo("send " + kafka.topic());
    assertThat(sent.getKind()).isEqualTo(SpanKind.PRODUCER);
    return sent;
  }

  private SpanData parent(SpanData of) {
    return span(of.getTraceId(), of.getParentSpanId());
  }

  private SpanData span(String trace, String id) {
    return await("span " + id)
        .atMost(LIMIT)
        .until(
            () -> spans.of(trace).stream().filter(span -> span.getSpanId().equals(id)).toList(),
            found -> found.size() == 1)
        .get(0);
  }
}
