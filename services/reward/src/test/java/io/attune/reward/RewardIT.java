package io.attune.reward;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Message;
import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Failure;
import io.attune.common.v1.Prompt;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.reward.v1.Answer;
import io.attune.reward.v1.RewardServiceGrpc;
import io.attune.reward.v1.ScoreRequest;
import io.attune.reward.v1.ScoreResponse;
import io.attune.serving.v1.Generation;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.TestTokens;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.RolloutCompleted;
import io.attune.training.v1.RolloutScored;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class RewardIT {
  private static final Path ENCODER =
      Path.of("../lib/engine/src/test/resources/golden/models/bert-regression");

  @Inject KafkaClients kafka;
  @Inject ReleasedModels models;

  private final String token = TestTokens.ofRunningTest().with("tom", Roles.TRAINER);
  private ManagedChannel channel;

  @BeforeEach
  void open() {
    channel = NettyChannelBuilder.forAddress("127.0.0.1", RestAssured.port).usePlaintext().build();
  }

  @AfterEach
  void close() {
    channel.shutdownNow();
  }

  @Test
  void withoutAReleaseThereIsNoScore() {
    assertThatThrownBy(() -> score("", "On its way."))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused ->
                assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));

    String id = complete("", "On its way.");

    assertThat(scored(id).getFailure().getCode()).isEqualTo(ErrorCode.ERROR_CODE_UNAVAILABLE);
  }

  @Test
  void releasedModelScoresTheSameByEveryDoorAndEachRolloutOnce() throws IOException {
    String line = "judge";
    Artifact artifact = publish("judge");
    release(line, 1, artifact);
    await().atMost(Duration.ofSeconds(60)).until(() -> released(line));

    ScoreResponse both = score(line, "On its way.", "I do not know.");
    assertThat(both.getScoresCount()).isEqualTo(2);
    assertThat(both.getScores(0)).isNotEqualTo(both.getScores(1));
    assertThat(both.getRewardModel().getSha256()).isEqualTo(artifact.getSha256());
    assertThat(score(line, "I do not know.").getScores(0))
        .isCloseTo(both.getScores(1), within(1e-5f));

    float rest =
        given()
            .auth()
            .oauth2(token)
            .contentType("application/json")
            .body(
                "{\"line\":\"judge\",\"answers\":[{\"prompt\":\"Where is my"
                    + " order?\",\"completion\":\"On its way.\"}]}")
            .post("/v1/score")
            .then()
            .statusCode(200)
            .extract()
            .jsonPath()
            .getFloat("scores[0]");
    assertThat(rest).isCloseTo(both.getScores(0), within(1e-5f));

    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      ids.add(complete(line, "On its way."));
    }
    ids.forEach(
        id -> {
          RolloutScored event = scored(id);
          assertThat(event.getScores(0)).isCloseTo(both.getScores(0), within(1e-5f));
          assertThat(event.getRewardModel()).isEqualTo(both.getRewardModel());
        });
  }

  @Test
  void aRolloutIsScoredByTheVersionsThatItNamesWhateverIsReleased() throws IOException {
    String line = "refreshed";
    Artifact first = publish("first");
    Artifact second = publish("second");
    release(line, 1, first);
    await().atMost(Duration.ofSeconds(60)).until(() -> released(line));
    release(line, 2, second);
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> score(line, "x").getRewardModel().getVersion() == 2);
    float score = score(line, "On its way.").getScores(0);
    Artifact third = publish("third");
    Adapter gold = ReleasedModels.adapter("gold", 1, third);

    RolloutScored old =
        scored(
            complete(
                RolloutCompleted.newBuilder()
                    .setRewardLine(line)
                    .setRewardModel(ReleasedModels.adapter(line, 1, first))
                    .setHeldOutRewardModel(gold),
                "On its way."));
    RolloutScored young =
        scored(
            complete(
                RolloutCompleted.newBuilder()
                    .setRewardLine(line)
                    .setRewardModel(ReleasedModels.adapter(line, 2, second)),
                "On its way."));

    assertThat(old.getRewardModel()).isEqualTo(ReleasedModels.adapter(line, 1, first).getVersion());
    assertThat(old.getScores(0)).isCloseTo(score, within(1e-5f));
    assertThat(old.getHeldOutRewardModel()).isEqualTo(gold.getVersion());
    assertThat(old.getHeldOutScoresList()).hasSize(1);
    assertThat(young.getRewardModel().getVersion()).isEqualTo(2);
    assertThat(young.getHeldOutScoresList()).isEmpty();
    assertThat(young.hasHeldOutRewardModel()).isFalse();
  }

  @Test
  void aHeldOutModelThatCannotBeLoadedFailsTheRolloutWhole() throws IOException {
    Artifact broken = publish("broken").toBuilder().setSha256("1".repeat(64)).build();
    Artifact sound = publish("sound");

    RolloutScored event =
        scored(
            complete(
                RolloutCompleted.newBuilder()
                    .setRewardModel(ReleasedModels.adapter("any", 1, sound))
                    .setHeldOutRewardModel(ReleasedModels.adapter("gold", 2, broken)),
                "On its way."));

    assertThat(event.hasFailure()).isTrue();
    assertThat(event.getScoresCount()).isZero();
    assertThat(event.getHeldOutScoresCount()).isZero();
  }

  @Test
  void aReleasedEncoderNeedsNoTokenizerOfTheBaseModel() throws IOException {
    String line = "encoder";
    release(
        ReleasedModels.adapter(line, 1, models.publish(Tenant.DEFAULT, ENCODER, "encoder"))
            .toBuilder()
            .setContractSha256("another contract than the base model's")
            .build());
    await().atMost(Duration.ofSeconds(60)).until(() -> released(line));

    ScoreResponse both = score(line, "On its way.", "I do not know.");

    assertThat(both.getScores(0)).isNotEqualTo(both.getScores(1));
  }

  @Test
  void failedRolloutIsPassedOn() {
    String id = UUID.randomUUID().toString();
    send(
        RolloutCompleted.newBuilder()
            .setRolloutId(id)
            .setJobId("job")
            .setFailure(
                Failure.newBuilder().setCode(ErrorCode.ERROR_CODE_CORRUPT).setMessage("broken"))
            .build());

    RolloutScored event = scored(id);

    assertThat(event.getFailure().getCode()).isEqualTo(ErrorCode.ERROR_CODE_CORRUPT);
    assertThat(event.getScoresCount()).isZero();
  }

  private ScoreResponse score(String line, String... completions) {
    var headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    var request = ScoreRequest.newBuilder().setLine(line);
    for (String completion : completions) {
      request.addAnswers(Answer.newBuilder().setPrompt(prompt()).setCompletion(completion));
    }
    return RewardServiceGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .score(request.build());
  }

  private boolean released(String line) {
    try {
      return score(line, "x").getScoresCount() == 1;
    } catch (StatusRuntimeException notYet) {
      return false;
    }
  }

  private static Prompt prompt() {
    return Prompt.newBuilder().setText("Where is my order?").build();
  }

  private String complete(String line, String completion) {
    return complete(RolloutCompleted.newBuilder().setRewardLine(line), completion);
  }

  private String complete(RolloutCompleted.Builder rollout, String completion) {
    String id = UUID.randomUUID().toString();
    send(
        rollout
            .setRolloutId(id)
            .setJobId("job")
            .addGenerations(
                Generation.newBuilder()
                    .setGenerationId(id + "/0")
                    .setPrompt(prompt())
                    .setCompletion(completion))
            .build());
    return id;
  }

  /** The one score of a rollout: all of the topic that is committed is read. */
  private RolloutScored scored(String rolloutId) {
    List<RolloutScored> found = new ArrayList<>();
    await().atMost(Duration.ofSeconds(60)).until(() -> !read(rolloutId, found).isEmpty());
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  private List<RolloutScored> read(String rolloutId, List<RolloutScored> found) {
    found.clear();
    try (var consumer = kafka.consumer(UUID.randomUUID().toString(), 500)) {
      var partitions =
          consumer.partitionsFor(Events.topic(RolloutScored.getDescriptor())).stream()
              .map(p -> new org.apache.kafka.common.TopicPartition(p.topic(), p.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      var ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
        for (var event : consumer.poll(Duration.ofMillis(200))) {
          RolloutScored scored = EventRecords.decode(event, RolloutScored.class);
          if (scored.getRolloutId().equals(rolloutId)) {
            found.add(scored);
          }
        }
      }
    }
    return found;
  }

  /** The tests' reward model, under a digest of its own. */
  private Artifact publish(String name) throws IOException {
    return models.publish(Tenant.DEFAULT, ReleasedModels.FOLDER, name);
  }

  private void release(String line, long version, Artifact artifact) {
    release(ReleasedModels.adapter(line, version, artifact));
  }

  private void release(Adapter active) {
    models.release(Tenant.DEFAULT, active);
  }

  private void send(Message event) {
    models.send(Tenant.DEFAULT, event);
  }
}
