package io.attune.serving;

import static io.attune.testkit.RecordedSpans.newTraceparent;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.ChatMessage;
import io.attune.common.v1.Conversation;
import io.attune.common.v1.Prompt;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.Spans;
import io.attune.platform.telemetry.TraceParent;
import io.attune.serving.v1.GenerateRequest;
import io.attune.serving.v1.SamplingParameters;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.LogCapture;
import io.attune.testkit.RecordedSpans;
import io.attune.training.v1.RolloutCompleted;
import io.attune.training.v1.RolloutRequested;
import io.grpc.StatusRuntimeException;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Prompts and answers are in no log and no span, whatever becomes of a call. */
@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class NoUserTextIT {
  private static final String CANARY = "canary7f3a";

  private static final List<String> BODIES =
      List.of(
          "{\"messages\":[{\"role\":\"user\",\"content\":\"CANARY\"}],\"max_tokens\":3}",
          "{\"messages\":[{\"role\":\"CANARY\",\"content\":\"CANARY\"}],\"max_tokens\":3}",
          "{\"messages\":[{\"role\":\"user\",\"content\":{\"CANARY\":1}}]}",
          "{\"messages\":\"CANARY\"}",
          "{\"prompt\":\"CANARY\",\"max_tokens\":3,\"stop\":[\"CANARY\"]}",
          "{\"prompt\":\"CANARY\",\"max_tokens\":\"CANARY\"}",
          "{\"prompt\":\"CANARY\",\"temperature\":-1}",
          "{\"prompt\":\"CANARY\",\"CANARY\":1}",
          "{\"prompt\":\"CANARY\",\"max_tokens\":3,\"stream\":true}",
          "{\"prompt\":\"CANARY",
          "CANARY");

  @Inject RecordedSpans spans;
  @Inject KafkaClients kafka;

  private final Fixture fixture = new Fixture();

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void byEveryDoor() {
    try (LogCapture log = LogCapture.start()) {
      for (String path : List.of("/v1/chat/completions", "/v1/completions")) {
        BODIES.forEach(body -> post(path, body.replace("CANARY", CANARY)));
      }
      post("/v1/completions", "{\"prompt\":\"" + (CANARY + " ").repeat(500) + "\"}");
      generate(Prompt.newBuilder().setText(CANARY).build(), 3);
      generate(Prompt.newBuilder().setText((CANARY + " ").repeat(500)).build(), 3);
      generate(Prompt.newBuilder().setText(CANARY).build(), -1);
      generate(chat("user"), 3);
      generate(chat(CANARY), 3);
      rollout(chat("user"));
      rollout(chat(CANARY));
      broken();
      String last = rollout(Prompt.newBuilder().setText(CANARY).build());
      assertThat(fixture.read(RolloutCompleted.class, 1, e -> e.getRolloutId().equals(last)))
          .hasSize(1);

      log.assertNever(CANARY);
    }
    assertThat(spans.all()).isNotEmpty();
    assertThat(spans.all())
        .noneMatch(
            span ->
                (span.getName() + span.getAttributes() + span.getEvents() + span.getStatus())
                    .contains(CANARY));
  }

  private static void post(String path, String body) {
    given()
        .auth()
        .oauth2(Fixture.token())
        .header(TraceParent.HEADER, newTraceparent())
        .contentType("application/json")
        .body(body.getBytes(UTF_8))
        .post(path)
        .asString();
  }

  private static Prompt chat(String role) {
    return Prompt.newBuilder()
        .setConversation(
            Conversation.newBuilder()
                .addMessages(ChatMessage.newBuilder().setRole(role).setContent(CANARY)))
        .build();
  }

  private void generate(Prompt prompt, int tokens) {
    try {
      fixture
          .blocking()
          .generate(
              GenerateRequest.newBuilder()
                  .setPrompt(prompt)
                  .setConversationId("quiet")
                  .setSampling(SamplingParameters.newBuilder().setMaxNewTokens(tokens))
                  .build())
          .forEachRemaining(piece -> {});
    } catch (StatusRuntimeException refused) {
      // What the caller hears is the caller's own.
      assertThat(refused.getStatus().isOk()).isFalse();
    }
  }

  private String rollout(Prompt prompt) {
    String id = UUID.randomUUID().toString();
    Spans.continuing(
        newTraceparent(),
        () ->
            fixture.send(
                RolloutRequested.newBuilder()
                    .setRolloutId(id)
                    .setJobId("job")
                    .setPurpose("gate/active")
                    .setAdapter(AdapterVersion.newBuilder().setLine("candidate"))
                    .setSampling(SamplingParameters.newBuilder().setMaxNewTokens(3))
                    .addPrompts(prompt)
                    .build()));
    return id;
  }

  /** Of the right type, and nothing that could be read. */
  private void broken() {
    var good =
        EventRecords.encode(
            Tenant.DEFAULT,
            RolloutRequested.newBuilder().setRolloutId("r").setJobId("j").build(),
            CANARY,
            "test",
            Instant.EPOCH);
    try (var producer = kafka.producer("broken")) {
      producer.send(
          new ProducerRecord<>(
              good.topic(), null, CANARY, (CANARY + "\u0001").getBytes(UTF_8), good.headers()));
      producer.flush();
    }
  }
}
