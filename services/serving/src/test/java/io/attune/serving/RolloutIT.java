package io.attune.serving;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Failure;
import io.attune.common.v1.Prompt;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStores;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.SamplingParameters;
import io.attune.testkit.Infrastructure;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.RolloutCompleted;
import io.attune.training.v1.RolloutRequested;
import io.attune.training.v1.RolloutTokens;
import io.attune.training.v1.TokenSequence;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class RolloutIT {

  @Inject ObjectStores stores;

  private final Fixture fixture = new Fixture();

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void candidateThatIsNotReleasedAnswersEveryPrompt() {
    Artifact artifact = fixture.publish(Fixture.ADAPTERS.resolve("two"));
    var request =
        RolloutRequested.newBuilder()
            .setRolloutId(UUID.randomUUID().toString())
            .setJobId("job-1")
            .setPurpose("gate/candidate")
            .setRewardLine("reward")
            .setRewardModel(rewardModel("reward", 3))
            .setHeldOutRewardModel(rewardModel("gold", 1))
            .setAdapter(Fixture.version("candidate", 4, artifact))
            .setArtifact(artifact)
            .setSampling(SamplingParameters.newBuilder().setTemperature(0).setMaxNewTokens(24));
    for (int i = 0; i < 3; i++) {
      request.addPrompts(Prompt.newBuilder().setText(expected(i).path("prompt").textValue()));
    }

    fixture.send(request.build());
    RolloutCompleted completed = completed(request.getRolloutId());

    assertThat(completed.hasFailure()).isFalse();
    assertThat(completed.getJobId()).isEqualTo("job-1");
    assertThat(completed.getPurpose()).isEqualTo("gate/candidate");
    assertThat(completed.getRewardLine()).isEqualTo("reward");
    assertThat(completed.getRewardModel()).isEqualTo(request.getRewardModel());
    assertThat(completed.getHeldOutRewardModel()).isEqualTo(request.getHeldOutRewardModel());
    for (int i = 0; i < 3; i++) {
      assertThat(completed.getGenerations(i).getCompletion())
          .isEqualTo(expected(i).path("completion").textValue());
      assertThat(completed.getGenerations(i).getAdapter()).isEqualTo(request.getAdapter());
      assertThat(completed.getGenerations(i).getGenerationId())
          .isEqualTo(request.getRolloutId() + "/" + i);
    }
  }

  @Test
  void tokensTravelByReferenceForEachOfSeveralAnswers() throws IOException {
    var request =
        RolloutRequested.newBuilder()
            .setRolloutId(UUID.randomUUID().toString())
            .setJobId("job-3")
            .setPurpose("round")
            .setRound(4)
            .setGenerationsPerPrompt(2)
            .setTokensByReference(true)
            .setAdapter(AdapterVersion.newBuilder().setLine("candidate"))
            .setSampling(
                SamplingParameters.newBuilder().setTemperature(1).setMaxNewTokens(8).setSeed(5))
            .addPrompts(Prompt.newBuilder().setText("hello"))
            .addPrompts(Prompt.newBuilder().setText("good day"))
            .build();

    fixture.send(request);
    RolloutCompleted completed = completed(request.getRolloutId());

    assertThat(completed.getFailure()).isEqualTo(Failure.getDefaultInstance());
    assertThat(completed.getGenerationsList())
        .hasSize(4)
        .allMatch(generation -> generation.getCompletionTokenIdsCount() == 0)
        .extracting(generation -> generation.getPrompt().getText())
        .containsExactly("hello", "hello", "good day", "good day");
    RolloutTokens tokens =
        RolloutTokens.parseFrom(
            Files.readAllBytes(stores.of(Tenant.DEFAULT).open(completed.getTokens())));
    assertThat(tokens.getRolloutId()).isEqualTo(request.getRolloutId());
    assertThat(completed.getReplica()).isNotEmpty();
    assertThat(tokens.getSequencesList())
        .hasSize(4)
        .allMatch(one -> one.getPromptTokenIdsCount() > 0 && one.getCompletionTokenIdsCount() > 0)
        .allMatch(one -> one.getCompletionTokenIdsCount() == one.getLogProbabilitiesCount())
        .allMatch(one -> one.getLogProbabilitiesList().stream().allMatch(p -> p <= 0));
    assertThat(tokens.getSequences(0).getPromptTokenIdsList())
        .isEqualTo(tokens.getSequences(1).getPromptTokenIdsList());
  }

  @Test
  void tokensByReferenceTellHowLikelyTheyWereToBeDrawn() throws IOException {
    var request =
        RolloutRequested.newBuilder()
            .setJobId("job-4")
            .setPurpose("round")
            .setAdapter(AdapterVersion.newBuilder().setLine("candidate"))
            .setSampling(
                SamplingParameters.newBuilder().setTemperature(0.5f).setMaxNewTokens(8).setSeed(5))
            .addPrompts(Prompt.newBuilder().setText("hello"));
    var byValue = request.clone().setRolloutId(UUID.randomUUID().toString()).build();
    var byReference =
        request
            .clone()
            .setRolloutId(UUID.randomUUID().toString())
            .setTokensByReference(true)
            .build();

    fixture.send(byValue);
    fixture.send(byReference);
    Generation own = completed(byValue.getRolloutId()).getGenerations(0);
    TokenSequence drawn =
        RolloutTokens.parseFrom(
                Files.readAllBytes(
                    stores
                        .of(Tenant.DEFAULT)
                        .open(completed(byReference.getRolloutId()).getTokens())))
            .getSequences(0);

    assertThat(drawn.getCompletionTokenIdsList()).isEqualTo(own.getCompletionTokenIdsList());
    // Halving the temperature doubles what sets the tokens apart: the likelier ones gain.
    for (int i = 0; i < drawn.getLogProbabilitiesCount(); i++) {
      assertThat(drawn.getLogProbabilities(i)).isGreaterThan(2 * own.getLogProbabilities(i));
    }
    assertThat(drawn.getLogProbabilitiesList()).isNotEqualTo(own.getLogProbabilitiesList());
  }

  @Test
  void versionThatCannotBeLoadedIsAFailureThatSaysSo() {
    var artifact = fixture.publish(Fixture.ADAPTERS.resolve("one"));
    var wrong = artifact.toBuilder().setSha256("1".repeat(64)).build();
    var request =
        RolloutRequested.newBuilder()
            .setRolloutId(UUID.randomUUID().toString())
            .setJobId("job-2")
            .setAdapter(Fixture.version("candidate", 5, wrong))
            .setArtifact(wrong)
            .addPrompts(Prompt.newBuilder().setText("hello"))
            .build();

    fixture.send(request);
    RolloutCompleted completed = completed(request.getRolloutId());

    assertThat(completed.getGenerationsCount()).isZero();
    assertThat(completed.getFailure().getCode())
        .isIn(ErrorCode.ERROR_CODE_CORRUPT, ErrorCode.ERROR_CODE_NOT_FOUND);
  }

  private static Adapter rewardModel(String line, long version) {
    return Adapter.newBuilder()
        .setVersion(AdapterVersion.newBuilder().setLine(line).setVersion(version))
        .setContractSha256("c0")
        .build();
  }

  private RolloutCompleted completed(String rolloutId) {
    var found =
        fixture.read(RolloutCompleted.class, 1, event -> event.getRolloutId().equals(rolloutId));
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  private static JsonNode expected(int prompt) {
    return Fixture.expected("two", prompt);
  }
}
