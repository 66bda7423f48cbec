package io.attune.training;

import static io.attune.testkit.RecordedSpans.newTraceparent;
import static io.attune.testkit.RecordedSpans.spanId;
import static io.attune.testkit.RecordedSpans.traceId;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.Spans;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.RecordedSpans;
import io.attune.training.job.Job;
import io.attune.training.job.Jobs;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A job belongs to the trace of the rating that started it, with its process and all it calls. */
@QuarkusTest
@TestProfile(Traced.WithWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class TraceIT {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  @Inject RecordedSpans spans;
  @Inject Jobs jobs;
  @Inject TenantTransactions transactions;
  @Inject TrainingConfig config;

  @Test
  void aRatingsTraceLeadsIntoTheWorker() throws IOException {
    Ingestion.holds(
        Optional.of(
            """
            {"rating_id":"a","rater":"ann","held_out":false,"prompt":"p","answers":[{"completion":"x"}],"score":1}
            """));
    String before = newTraceparent();
    String last = newTraceparent();
    send(before, 0, 49);
    await("the first ratings").atMost(LIMIT).until(this::counted, n -> n == 49);
    send(last, 49, 50);

    Job reward =
        await("the round")
            .atMost(LIMIT)
            .until(
                () -> jobs.list(Tenant.DEFAULT, "triggered-reward", Optional.empty(), 1),
                found -> !found.isEmpty())
            .get(0);
    await("its end")
        .atMost(LIMIT)
        .until(() -> jobs.get(Tenant.DEFAULT, reward.id().toString()).isFinal());

    String trace = traceId(last);
    SpanData worker = span(trace, "worker prepare");
    SpanData run = parent(worker);
    assertThat(run.getName()).isEqualTo("run job");
    assertThat(run.getAttributes().get(AttributeKey.stringKey("attune.job.id")))
        .isEqualTo(reward.id().toString());
    SpanData round = parent(run);
    assertThat(round.getName()).isEqualTo("start round");
    SpanData read = parent(round);
    assertThat(read.getName()).isEqualTo("process feedback.accepted.v1");
    assertThat(read.getParentSpanId()).isEqualTo(spanId(last));
    // The call to ingestion, which carries the trace on.
    assertThat(Ingestion.traces()).anyMatch(traceparent -> traceparent.contains(trace));
    assertThat(spans.of(trace))
        .anyMatch(
            span ->
                span.getKind() == SpanKind.CLIENT
                    && span.getName().endsWith("FeedbackService/CutSnapshot")
                    && span.getParentSpanId().equals(run.getSpanId()));
    // Each change of the job is told in its trace.
    assertThat(spans.of(trace)).anyMatch(span -> span.getName().equals("send training.jobs.v1"));
    Path log = config.folder().resolve(reward.id().toString()).resolve("worker.log");
    assertThat(Files.readString(log)).contains("traceparent=00-" + trace + "-" + run.getSpanId());
    assertThat(spans.of(traceId(before)))
        .extracting(SpanData::getName)
        .containsOnly("process feedback.accepted.v1");
  }

  private static void send(String traceparent, int from, int to) {
    List<RatingAccepted> ratings =
        IntStream.range(from, to)
            .mapToObj(
                i ->
                    RatingAccepted.newBuilder()
                        .setRating(
                            Rating.newBuilder()
                                .setId("t" + i)
                                .setDataset("shop")
                                .setConversationId("c")
                                .setScore(0.5))
                        .build())
            .toList();
    Spans.continuing(traceparent, () -> Topic.send("ingestion", ratings));
  }

  private long counted() {
    return transactions.inTenant(
        Tenant.DEFAULT,
        handle ->
            handle
                .createQuery("select ratings from trigger_count where dataset = 'shop'")
                .mapTo(Long.class)
                .findOne()
                .orElse(0L));
  }

  private SpanData parent(SpanData of) {
    return await("the parent of " + of.getName())
        .atMost(LIMIT)
        .until(
            () ->
                spans.of(of.getTraceId()).stream()
                    .filter(span -> span.getSpanId().equals(of.getParentSpanId()))
                    .toList(),
            found -> found.size() == 1)
        .get(0);
  }

  private SpanData span(String trace, String name) {
    return await(name)
        .atMost(LIMIT)
        .until(
            () -> spans.of(trace).stream().filter(span -> span.getName().equals(name)).toList(),
            found -> !found.isEmpty())
        .get(0);
  }
}
