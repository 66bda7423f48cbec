package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.Prompt;
import io.attune.platform.storage.ObjectStore;
import io.attune.serving.v1.FinishReason;
import io.attune.serving.v1.Generation;
import io.attune.testkit.Infrastructure;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.rollout.Rounds;
import io.attune.training.v1.RolloutRequested;
import io.attune.training.v1.RolloutScored;
import io.attune.training.v1.TrainingSpec;
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
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Rounds on the real broker and database, with serving and reward played. */
@QuarkusTest
@TestProfile(NoWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class RoundsIT {
  private static final int EACH = 2;
  private static final Artifact TOKENS =
      Artifact.newBuilder().setUri("file:///t").setSha256("70").setSizeBytes(1).build();

  @Inject Rounds rounds;
  @Inject Jobs jobs;
  @Inject ObjectStore store;
  @Inject MovableClock clock;

  @Test
  void whatIsLostIsAskedAgainAndRepeatsChangeNothing() throws Exception {
    Job job = job("lossy");
    try (Graders graders =
        Graders.answering(
            request -> {
              if (request.getRolloutId().endsWith("/0/0/1")) {
                return List.of(); // the first chunk's first attempt is lost
              }
              return List.of(
                  scored(request, request.getAdapter().getVersion(), 0.5),
                  scored(request, request.getAdapter().getVersion(), 0.9));
            })) {
      open(job, 0);
      open(job, 0); // as after a restart between asking and noting it

      await("the second chunk")
          .atMost(Duration.ofSeconds(60))
          .until(() -> of(graders, job).size() >= 2);
      assertThat(rounds.collect(job.id(), 0)).isEmpty();
      clock.forward(Duration.ofMinutes(6));
      List<RolloutScored> answers = awaitRound(job, 0);

      assertThat(answers)
          .extracting(RolloutScored::getRolloutId)
          .containsExactly(job.id() + "/round/0/0/2", job.id() + "/round/0/1/1");
      assertThat(answers).allMatch(one -> one.getScores(0) == 0.5f, "the first answer counts");
      assertThat(of(graders, job)).hasSize(3).allMatch(RolloutRequested::getTokensByReference);
      assertThat(of(graders, job)).extracting(r -> r.getAdapter().getVersion()).containsOnly(1L);
      assertThat(rounds.collect(job.id(), 0)).contains(answers);
    }
  }

  @Test
  void answersOfTooOldAVersionAreDroppedAndAskedAgain() throws Exception {
    Job job = job("stale");
    try (Graders graders =
        Graders.answering(
            request -> {
              boolean second = request.getRound() == 2 && request.getRolloutId().endsWith("/1");
              // Version 1 began round 0: two rounds old, where one is allowed.
              return List.of(scored(request, second ? 1 : request.getAdapter().getVersion(), 0.5));
            })) {
      for (int round = 0; round < 3; round++) {
        open(job, round);
        if (round < 2) {
          awaitRound(job, round);
        }
      }
      List<RolloutScored> answers = awaitRound(job, 2);

      assertThat(answers).allMatch(one -> one.getGenerations(0).getAdapter().getVersion() == 3);
      assertThat(answers).allMatch(one -> one.getRolloutId().endsWith("/2"));
      assertThat(of(graders, job)).hasSize(8);
    }
  }

  private static List<RolloutRequested> of(Graders graders, Job job) {
    return graders.requests().stream()
        .filter(request -> request.getJobId().equals(job.id().toString()))
        .toList();
  }

  private List<RolloutScored> awaitRound(Job job, int round) {
    return await("round " + round)
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              Optional<List<RolloutScored>> found = rounds.collect(job.id(), round);
              if (found.isEmpty()) {
                clock.forward(Duration.ofSeconds(6)); // past the delay before a failure is repeated
              }
              return found;
            },
            Optional::isPresent)
        .orElseThrow();
  }

  private Job job(String line) {
    TrainingSpec spec =
        Messages.fromJson("{\"line\":\"" + line + "\",\"rloo\":{}}", TrainingSpec.newBuilder())
            .build();
    UUID id = jobs.create(UUID.randomUUID().toString(), spec, "ann").id();
    return jobs.change(
        id, (handle, job) -> job.require(JobState.Queued.class).start(Candidates.SNAPSHOT, 0));
  }

  /** Ten prompts, two answers each, sixteen answers a chunk: two chunks. */
  private void open(Job job, int round) throws IOException {
    Path staged = store.stage("adapters");
    Files.writeString(staged.resolve("adapter_config.json"), job.id() + "/" + round);
    List<Prompt> prompts =
        IntStream.range(0, 10)
            .mapToObj(i -> Prompt.newBuilder().setText("prompt " + i).build())
            .toList();
    rounds.open(
        job,
        new Rounds.Question(round, store.publishFolder("adapters", staged), "c0", prompts, EACH));
  }

  private static RolloutScored scored(RolloutRequested request, long version, double score) {
    RolloutScored.Builder scored =
        RolloutScored.newBuilder()
            .setRolloutId(request.getRolloutId())
            .setJobId(request.getJobId())
            .setPurpose(request.getPurpose())
            .setTokens(TOKENS);
    for (int i = 0; i < request.getPromptsCount() * EACH; i++) {
      scored
          .addGenerations(
              Generation.newBuilder()
                  .setAdapter(request.getAdapter().toBuilder().setVersion(version))
                  .setFinishReason(FinishReason.FINISH_REASON_STOP))
          .addScores((float) score);
    }
    return scored.build();
  }
}
