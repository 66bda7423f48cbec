package io.attune.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Prompt;
import io.attune.engine.data.Content;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.identity.Tenant;
import io.attune.platform.line.ServedLines;
import io.attune.serving.v1.Generation;
import io.attune.testkit.Infrastructure;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.RolloutCompleted;
import io.attune.training.v1.RolloutScored;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.junit.jupiter.api.Test;

/** Two tenants in one service: lines of the same name, and each scores by its own. */
@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class TenantsIT {

  private static final Tenant ACME = new Tenant("acme");
  private static final Tenant GLOBEX = new Tenant("globex");
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final List<PromptAnswer> ANSWERS =
      List.of(new PromptAnswer(new Content.Text("Where is my order?"), "On its way."));

  @Inject ReleasedModels models;
  @Inject ServedLines<Scorer.Model> lines;
  @Inject Scoring scoring;
  @Inject KafkaClients kafka;

  @Test
  void aLineIsTheTenantsOwn() {
    Artifact acmes = release(ACME, "shared", "acme's");
    Artifact globexs = release(GLOBEX, "shared", "globex's");

    assertThat(scoring.score(ACME, "shared", ANSWERS).rewardModel().sha256())
        .isEqualTo(acmes.getSha256());
    assertThat(scoring.score(GLOBEX, "shared", ANSWERS).rewardModel().sha256())
        .isEqualTo(globexs.getSha256());
    assertThatThrownBy(() -> scoring.score(Tenant.DEFAULT, "shared", ANSWERS))
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_NOT_FOUND));
  }

  @Test
  void aRolloutIsScoredForItsTenant() {
    Artifact acmes = release(ACME, "rolled", "acme's rolled");

    RolloutScored scored = scored(ACME, rollout("rolled").build());

    assertThat(scored.getRewardModel().getSha256()).isEqualTo(acmes.getSha256());
    assertThat(scored(GLOBEX, rollout("rolled").build()).getFailure().getCode())
        .isEqualTo(ErrorCode.ERROR_CODE_NOT_FOUND);
  }

  @Test
  void aRewardModelOfAnotherTenantsStorageIsNotLoaded() {
    Adapter acmes =
        ReleasedModels.adapter("hidden", 7, models.publish(ACME, ReleasedModels.FOLDER, "hidden"));

    RolloutScored scored = scored(GLOBEX, rollout("hidden").setRewardModel(acmes).build());

    assertThat(scored.hasFailure()).isTrue();
    assertThat(scored.getFailure().getCode()).isEqualTo(ErrorCode.ERROR_CODE_INVALID_ARGUMENT);
    assertThat(scored(ACME, rollout("hidden").setRewardModel(acmes).build()).hasFailure())
        .isFalse();
  }

  private Artifact release(Tenant tenant, String line, String name) {
    Artifact artifact = models.publish(tenant, ReleasedModels.FOLDER, name);
    models.release(tenant, ReleasedModels.adapter(line, 1, artifact));
    await().atMost(PATIENCE).until(() -> lines.version(tenant, line).isPresent());
    return artifact;
  }

  private static RolloutCompleted.Builder rollout(String line) {
    return RolloutCompleted.newBuilder()
        .setRolloutId(UUID.randomUUID().toString())
        .setJobId(UUID.randomUUID().toString())
        .setRewardLine(line)
        .addGenerations(
            Generation.newBuilder()
                .setPrompt(Prompt.newBuilder().setText("Where is my order?"))
                .setCompletion("On its way."));
  }

  /** What becomes of a tenant's rollout; the event must be the tenant's as well. */
  private RolloutScored scored(Tenant tenant, RolloutCompleted rollout) {
    models.send(tenant, rollout);
    long end = System.nanoTime() + PATIENCE.toNanos();
    try (KafkaConsumer<String, byte[]> consumer =
        kafka.consumer(UUID.randomUUID().toString(), 100)) {
      consumer.subscribe(List.of(Events.topic(RolloutScored.getDescriptor())));
      while (System.nanoTime() < end) {
        for (ConsumerRecord<String, byte[]> one : consumer.poll(Duration.ofMillis(200))) {
          RolloutScored scored = EventRecords.decode(one, RolloutScored.class);
          if (scored.getRolloutId().equals(rollout.getRolloutId())) {
            assertThat(EventRecords.tenant(one)).isEqualTo(tenant);
            return scored;
          }
        }
      }
    }
    throw new AssertionError("rollout " + rollout.getRolloutId() + " was not scored");
  }
}
