package io.attune.reward;

import static io.attune.testkit.RecordedSpans.newTraceparent;
import static io.attune.testkit.RecordedSpans.spanId;
import static io.attune.testkit.RecordedSpans.traceId;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.Prompt;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.event.RecordSpans;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.Spans;
import io.attune.platform.telemetry.TraceParent;
import io.attune.serving.v1.Generation;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.LogCapture;
import io.attune.testkit.RecordedSpans;
import io.attune.testkit.TestTokens;
import io.attune.training.v1.RolloutCompleted;
import io.attune.training.v1.RolloutScored;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Prompts and answers are in no log and no span; each rollout is scored in its own trace. */
@QuarkusTest
@TestProfile(Traced.class)
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class NoUserTextIT {
  private static final String CANARY = "canary7f3a";
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private static final List<String> BODIES =
      List.of(
          "{\"answers\":[{\"prompt\":\"CANARY\",\"completion\":\"CANARY\"}]}",
          "{\"line\":7,\"answers\":\"CANARY\"}",
          "{\"answers\":[{\"prompt\":{\"CANARY\":1},\"completion\":\"CANARY\"}]}",
          "{\"answers\":[{\"prompt\":\"CANARY\",\"CANARY\":\"CANARY\"}]}",
          "{\"answers\":[\"CANARY",
          "CANARY");

  @Inject RecordedSpans spans;
  @Inject KafkaClients kafka;

  private KafkaProducer<String, byte[]> producer;

  @BeforeEach
  void open() {
    producer = kafka.producer("test");
  }

  @AfterEach
  void close() {
    producer.close();
  }

  @Test
  void byEveryDoor() {
    String token = TestTokens.ofRunningTest().with("tom", Roles.TRAINER);
    try (LogCapture log = LogCapture.start()) {
      for (String body : BODIES) {
        given()
            .auth()
            .oauth2(token)
            .header(TraceParent.HEADER, newTraceparent())
            .contentType("application/json")
            .body(body.replace("CANARY", CANARY).getBytes(UTF_8))
            .post("/v1/score")
            .asString();
      }
      RolloutCompleted unread = rollout();
      var good = EventRecords.encode(Tenant.DEFAULT, unread, CANARY, "test", Instant.EPOCH);
      producer.send(
          new ProducerRecord<>(
              good.topic(), null, CANARY, (CANARY + "\u0001").getBytes(UTF_8), good.headers()));
      RolloutCompleted last = rollout();
      send(last);
      scored(last.getRolloutId());

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
  void rolloutsOfABatchAreScoredInTheirOwnTraces() {
    List<RolloutCompleted> rollouts = List.of(rollout(), rollout(), rollout());
    List<String> writers = rollouts.stream().map(one -> newTraceparent()).toList();
    for (int i = 0; i < rollouts.size(); i++) {
      RolloutCompleted one = rollouts.get(i);
      Spans.continuing(writers.get(i), () -> send(one));
    }

    for (int i = 0; i < rollouts.size(); i++) {
      String traceparent = RecordSpans.traceparent(scored(rollouts.get(i).getRolloutId()));
      assertThat(traceId(traceparent)).isEqualTo(traceId(writers.get(i)));
      SpanData processed = span(traceId(traceparent), spanId(traceparent));
      assertThat(processed.getName()).isEqualTo("process rollouts.completed.v1");
      assertThat(processed.getParentSpanId()).isEqualTo(spanId(writers.get(i)));
    }
  }

  private static RolloutCompleted rollout() {
    return RolloutCompleted.newBuilder()
        .setRolloutId(UUID.randomUUID().toString())
        .setJobId("job")
        .setRewardLine("no-such-line")
        .addGenerations(
            Generation.newBuilder()
                .setPrompt(Prompt.newBuilder().setText(CANARY))
                .setCompletion(CANARY))
        .build();
  }

  private void send(RolloutCompleted rollout) {
    producer.send(
        EventRecords.encode(
            Tenant.DEFAULT, rollout, UUID.randomUUID().toString(), "test", Instant.EPOCH));
    producer.flush();
  }

  private ConsumerRecord<String, byte[]> scored(String rolloutId) {
    List<ConsumerRecord<String, byte[]>> found = new ArrayList<>();
    try (KafkaConsumer<String, byte[]> reader = kafka.consumer(UUID.randomUUID().toString(), 500)) {
      reader.subscribe(List.of(Events.topic(RolloutScored.getDescriptor())));
      await()
          .atMost(LIMIT)
          .until(
              () -> {
                for (ConsumerRecord<String, byte[]> one : reader.poll(Duration.ofMillis(200))) {
                  if (EventRecords.decode(one, RolloutScored.class)
                      .getRolloutId()
                      .equals(rolloutId)) {
                    found.add(one);
                  }
                }
                return !found.isEmpty();
              });
    }
    return found.get(0);
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
