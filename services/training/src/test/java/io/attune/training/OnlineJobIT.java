package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Artifact;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadOptions;
import io.attune.engine.data.Content;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStores;
import io.attune.serving.v1.FinishReason;
import io.attune.serving.v1.Generation;
import io.attune.testkit.Infrastructure;
import io.attune.training.adapter.AdapterCatalog;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.v1.RolloutRequested;
import io.attune.training.v1.RolloutScored;
import io.attune.training.v1.RolloutTokens;
import io.attune.training.v1.TokenSequence;
import io.attune.training.v1.TrainingSpec;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A job that learns online in a process of its own, with serving and reward played. */
@QuarkusTest
@TestProfile(TinyModel.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class OnlineJobIT {
  private static final Duration LONG = Duration.ofMinutes(4);
  private static final int ROUNDS = 3;

  /** Of a model that knows nothing: one of 380 tokens. */
  private static final float LOG_PROBABILITY = (float) -Math.log(380);

  @Inject Jobs jobs;
  @Inject AdapterCatalog catalog;
  @Inject ObjectStores stores;
  @Inject MovableClock clock;

  @Test
  void aWorkerThatIsKilledBetweenRoundsCostsTimeAlone() throws Exception {
    Ingestion.holds(Optional.of(TinyModel.ratings(80)));
    AtomicBoolean silent = new AtomicBoolean(true);
    try (LanguageModel model =
            LanguageModel.load(TinyModel.FOLDER, LoadOptions.defaults().withThreads(1));
        Graders graders =
            Graders.answering(
                request -> {
                  if (!request.hasRound()) {
                    return List.of(gate(request));
                  }
                  boolean last = request.getRound() == ROUNDS - 1;
                  boolean lost = last && silent.get();
                  RolloutScored answer = answer(model, request);
                  return lost ? List.of() : List.of(answer, answer);
                })) {
      UUID id = create("online");
      await("the last round")
          .atMost(LONG)
          .until(() -> graders.requests().stream().anyMatch(one -> one.getRound() == ROUNDS - 1));

      ProcessHandle worker = worker();
      worker.destroyForcibly();
      worker.onExit().join();
      silent.set(false);
      clock.forward(Duration.ofMinutes(6)); // the lost chunks are due again
      Job job =
          await("job")
              .atMost(LONG)
              .until(() -> jobs.get(Tenant.DEFAULT, id.toString()), Job::isFinal);

      assertThat(job.state()).isInstanceOf(JobState.Released.class);
      assertThat(job.state().work().progress().getStep()).isEqualTo(ROUNDS);
      assertThat(
              catalog.list(Tenant.DEFAULT, "online.rollouts", Long.MAX_VALUE, 10).getAdaptersList())
          .as("a version for each round, and none twice")
          .hasSize(ROUNDS);
      assertThat(job.state().work().candidate().orElseThrow().getLine()).isEqualTo("online");
    }
  }

  /** The one place of this machine is taken by the job that learns online, and yet. */
  @Test
  void aRewardModelThatIsTrainedMeanwhileScoresTheRoundsThatFollow() throws Exception {
    Ingestion.holds(Optional.of(TinyModel.ratings(80)));
    AtomicBoolean silent = new AtomicBoolean(true);
    try (LanguageModel model =
            LanguageModel.load(TinyModel.FOLDER, LoadOptions.defaults().withThreads(1));
        Graders graders =
            Graders.answering(
                request -> {
                  if (!request.hasRound()) {
                    return List.of(gate(request));
                  }
                  boolean waits = request.getRound() == 1 && silent.get();
                  return waits ? List.of() : List.of(answer(model, request));
                })) {
      UUID online = create("refreshed");
      await("the second round")
          .atMost(LONG)
          .until(() -> graders.requests().stream().anyMatch(one -> one.getRound() == 1));

      TrainingSpec spec =
          Messages.fromJson(
                  "{\"line\":\"reward\",\"reward\":{}," + TinyModel.arguments(60) + "}",
                  TrainingSpec.newBuilder())
              .build();
      UUID reward = jobs.create(Tenant.DEFAULT, UUID.randomUUID().toString(), spec, "ann").id();
      Job trained =
          await("reward job")
              .atMost(LONG)
              .until(() -> jobs.get(Tenant.DEFAULT, reward.toString()), Job::isFinal);
      assertThat(trained.state()).isInstanceOf(JobState.Released.class);
      assertThat(jobs.get(Tenant.DEFAULT, online.toString()).state())
          .isInstanceOf(JobState.Training.class);
      silent.set(false);
      clock.forward(Duration.ofMinutes(6)); // what the second round asked for is due again
      Job job =
          await("job")
              .atMost(LONG)
              .until(() -> jobs.get(Tenant.DEFAULT, online.toString()), Job::isFinal);

      assertThat(job.state()).isInstanceOf(JobState.Released.class);
      List<RolloutRequested> rounds =
          graders.requests().stream()
              .filter(one -> one.hasRound() && one.getJobId().equals(online.toString()))
              .toList();
      AdapterVersion version = trained.state().work().candidate().orElseThrow();
      assertThat(rounds)
          .filteredOn(one -> one.getRound() == 1)
          .as("asked twice, by the same reward model")
          .hasSizeGreaterThan(1)
          .noneMatch(one -> one.getRewardModel().getVersion().equals(version));
      assertThat(rounds)
          .filteredOn(one -> one.getRound() == 2)
          .isNotEmpty()
          .allMatch(one -> one.getRewardModel().getVersion().equals(version));
    }
  }

  private UUID create(String line) {
    String json =
        """
        {"line":"%s","rloo":{"num_generations":2},"rollouts":{"max_completion_length":4},
        "lora":{"r":4,"lora_alpha":8},"arguments":{"learning_rate":0.01,
        "per_device_train_batch_size":8,"max_steps":%d,"max_length":64,"seed":1}}
        """
            .formatted(line, ROUNDS);
    TrainingSpec spec = Messages.fromJson(json, TrainingSpec.newBuilder()).build();
    return jobs.create(Tenant.DEFAULT, UUID.randomUUID().toString(), spec, "ann").id();
  }

  private static ProcessHandle worker() {
    return ProcessHandle.current()
        .children()
        .filter(child -> child.info().command().orElse("").endsWith("java"))
        .findFirst()
        .orElseThrow();
  }

  private static RolloutScored gate(RolloutRequested request) {
    double score = request.getPurpose().equals("gate/candidate") ? 0.8 : 0.5;
    return Graders.scored(request, score, 1);
  }

  private RolloutScored answer(LanguageModel model, RolloutRequested request) {
    RolloutScored.Builder scored =
        RolloutScored.newBuilder()
            .setRolloutId(request.getRolloutId())
            .setJobId(request.getJobId())
            .setPurpose(request.getPurpose());
    RolloutTokens.Builder tokens = RolloutTokens.newBuilder().setRolloutId(request.getRolloutId());
    int each = request.getGenerationsPerPrompt();
    for (int i = 0; i < request.getPromptsCount() * each; i++) {
      String prompt = request.getPrompts(i / each).getText();
      TokenSequence.Builder sequence = TokenSequence.newBuilder();
      for (int token : model.examples(64).prompt(new Content.Text(prompt))) {
        sequence.addPromptTokenIds(token);
      }
      for (int t = 0; t < 4; t++) {
        sequence.addCompletionTokenIds(20 + i + t).addLogProbabilities(LOG_PROBABILITY);
      }
      tokens.addSequences(sequence);
      scored
          .addGenerations(
              Generation.newBuilder()
                  .setAdapter(request.getAdapter())
                  .setFinishReason(FinishReason.FINISH_REASON_LENGTH))
          .addScores(i % 2);
    }
    return scored.setTokens(publish(tokens.build())).build();
  }

  private Artifact publish(RolloutTokens tokens) {
    Path staged = stores.of(Tenant.DEFAULT).stage("rollouts");
    try {
      Files.write(staged.resolve("tokens.binpb"), tokens.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return stores.of(Tenant.DEFAULT).publishFile("rollouts", staged, "tokens.binpb");
  }
}
