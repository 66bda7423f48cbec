package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Prompt;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStores;
import io.attune.serving.v1.FinishReason;
import io.attune.serving.v1.Generation;
import io.attune.testkit.Infrastructure;
import io.attune.training.adapter.AdapterStore;
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
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Rounds on the real broker and database, with serving and reward played. */
@QuarkusTest
@TestProfile(NoWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class RoundsIT {
  private static final Duration LONG = Duration.ofMinutes(3);
  private static final int EACH = 2;

  @Inject Rounds rounds;
  @Inject Jobs jobs;
  @Inject Candidates candidates;
  @Inject ObjectStores stores;
  @Inject TenantTransactions transactions;
  @Inject AdapterStore adapters;
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

      await("the second chunk's answers").atMost(LONG).until(() -> answered(job) == 1);
      assertThat(rounds.collect(job, 0)).isEmpty();
      clock.forward(Duration.ofMinutes(6));
      List<RolloutScored> answers = awaitRound(job, 0);

      assertThat(answers)
          .extracting(RolloutScored::getRolloutId)
          .containsExactly(job.id() + "/round/0/0/2", job.id() + "/round/0/1/1");
      assertThat(answers).allMatch(one -> one.getScores(0) == 0.5f, "the first answer counts");
      assertThat(of(graders, job)).hasSize(3).allMatch(RolloutRequested::getTokensByReference);
      assertThat(of(graders, job)).extracting(r -> r.getAdapter().getVersion()).containsOnly(1L);
      assertThat(rounds.collect(job, 0)).contains(answers);
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

  @Test
  void eachRoundIsScoredByTheRewardModelThatIsReleasedWhenItBegins() throws Exception {
    String first = release("reward", 1);
    Job refreshing = job("refreshing");
    Job pinned = job("pinned", "{\"refresh_reward\":false}");
    AtomicBoolean silent = new AtomicBoolean(true);
    try (Graders graders =
        Graders.answering(
            request ->
                silent.get()
                    ? List.of()
                    : List.of(scored(request, request.getAdapter().getVersion(), 0.5)))) {
      open(refreshing, 0);
      open(pinned, 0);
      String second = release("reward", 2);
      open(refreshing, 0); // as after a restart
      await("what is asked for first")
          .atMost(Duration.ofSeconds(60))
          .until(() -> of(graders, refreshing).size() >= 2 && of(graders, pinned).size() >= 2);
      clock.forward(Duration.ofMinutes(6)); // the chunks that did not come are due again
      silent.set(false);
      awaitRound(refreshing, 0);
      awaitRound(pinned, 0);
      open(refreshing, 1);
      open(pinned, 1);
      awaitRound(refreshing, 1);
      awaitRound(pinned, 1);

      assertThat(rewards(graders, refreshing, 0)).containsOnly(first);
      assertThat(of(graders, refreshing)).anyMatch(one -> one.getRolloutId().endsWith("/0/0/2"));
      assertThat(rewards(graders, refreshing, 1)).containsOnly(second);
      assertThat(rewards(graders, pinned, 0)).containsOnly(first);
      assertThat(rewards(graders, pinned, 1)).containsOnly(first);
    }
  }

  @Test
  void aHeldOutRewardModelScoresToo() throws Exception {
    Job job = job("watched", "{\"held_out_reward_line\":\"gold\"}");
    assertThatThrownBy(() -> open(job, 0))
        .isInstanceOf(PlatformException.class)
        .hasMessageContaining("No version of line gold is released");
    String gold = release("gold", 1);
    try (Graders graders =
        Graders.answering(
            request -> {
              RolloutScored once = scored(request, request.getAdapter().getVersion(), 0.5);
              // A reward service that knows nothing of held-out models answers the first attempts.
              return List.of(
                  request.getRolloutId().endsWith("/1")
                      ? once
                      : once.toBuilder()
                          .addAllHeldOutScores(Collections.nCopies(once.getScoresCount(), 0.25f))
                          .build());
            })) {
      open(job, 0);
      List<RolloutScored> answers = awaitRound(job, 0);

      assertThat(of(graders, job))
          .allMatch(one -> one.getHeldOutRewardModel().getArtifact().getSha256().equals(gold));
      assertThat(answers).allMatch(one -> one.getHeldOutScores(0) == 0.25f);
      assertThat(answers).allMatch(one -> one.getRolloutId().endsWith("/2"));
    }
  }

  private static List<String> rewards(Graders graders, Job job, int round) {
    return of(graders, job).stream()
        .filter(request -> request.getRound() == round)
        .map(request -> request.getRewardModel().getArtifact().getSha256())
        .toList();
  }

  /** Releases a version of a reward line; gives its digest. */
  private String release(String line, long version) {
    UUID id =
        candidates.reward(line, version - 1, 20, version == 1 ? Optional.empty() : Optional.of(5));
    Job done =
        await("release")
            .atMost(Duration.ofSeconds(60))
            .until(() -> jobs.get(Tenant.DEFAULT, id.toString()), Job::isFinal);
    return done.require(JobState.Released.class).work().candidate().orElseThrow().getSha256();
  }

  @Test
  void whatRoundsNeededIsDeletedWhenItIsNeededNoMore() throws Exception {
    Job job = job("tidy");
    String line = "tidy.rollouts";
    List<Artifact> late = new CopyOnWriteArrayList<>();
    try (Graders graders =
        Graders.answering(
            request -> {
              if (!request.getJobId().equals(job.id().toString())) {
                return List.of();
              }
              RolloutScored answer = scored(request, request.getAdapter().getVersion(), 0.5);
              // As when serving answered twice: the second time with other tokens.
              late.add(tokens(request, "late"));
              RolloutScored second =
                  answer.toBuilder().setTokens(late.get(late.size() - 1)).build();
              return List.of(answer, second, answer);
            })) {
      List<List<RolloutScored>> rounds = new ArrayList<>();
      for (int round = 0; round < 3; round++) {
        open(job, round);
        rounds.add(awaitRound(job, round));
      }

      assertThat(rounds.get(0)).noneMatch(this::isThere);
      assertThat(rounds.get(1)).allMatch(this::isThere);
      assertThat(rounds.get(2)).allMatch(this::isThere);
      assertThat(policies(graders, job, 0)).noneMatch(this::isThere);
      assertThat(policies(graders, job, 1)).allMatch(this::isThere);
      assertThat(late).hasSize(6);
      await("what came late is gone")
          .atMost(LONG)
          .until(() -> late.stream().noneMatch(this::isThere));
      assertThat(active(line)).isEqualTo(3);

      jobs.fail(job, new PlatformException(ErrorCode.ERROR_CODE_DIVERGED, "for the test"));
      await("the job's last round is gone")
          .atMost(LONG)
          .until(
              () ->
                  policies(graders, job, 2).stream().noneMatch(this::isThere)
                      && rounds.get(2).stream().noneMatch(this::isThere));
      assertThat(active(line)).as("the base model writes nothing, and costs nothing").isZero();
    }
  }

  @Test
  void answersWhoseTokensCannotBeReadAreAskedForAgain() throws Exception {
    Job job = job("unreadable");
    try (Graders graders =
        Graders.answering(
            request -> List.of(scored(request, request.getAdapter().getVersion(), 0.5)))) {
      open(job, 0);
      List<RolloutScored> answers = awaitRound(job, 0);

      rounds.lose(
          Tenant.DEFAULT,
          answers.get(1),
          new PlatformException(ErrorCode.ERROR_CODE_CORRUPT, "broken"));
      assertThat(rounds.collect(job, 0)).isEmpty();

      assertThat(awaitRound(job, 0))
          .extracting(RolloutScored::getRolloutId)
          .containsExactly(job.id() + "/round/0/0/1", job.id() + "/round/0/1/2");
    }
  }

  private int answered(Job job) {
    return transactions.inTenant(
        Tenant.DEFAULT,
        handle ->
            handle
                .createQuery(
                    "select count(*) from rollout_chunk where job_id = ? and scored is not null")
                .bind(0, job.id())
                .mapTo(Integer.class)
                .one());
  }

  private static List<Artifact> policies(Graders graders, Job job, int round) {
    return of(graders, job).stream()
        .filter(one -> one.getRound() == round)
        .map(RolloutRequested::getArtifact)
        .toList();
  }

  private boolean isThere(RolloutScored scored) {
    return isThere(scored.getTokens());
  }

  private boolean isThere(Artifact artifact) {
    return Files.exists(Path.of(URI.create(artifact.getUri())));
  }

  private long active(String line) {
    return transactions
        .inTenant(Tenant.DEFAULT, handle -> adapters.findLine(handle, line))
        .orElseThrow()
        .activeVersion();
  }

  private static List<RolloutRequested> of(Graders graders, Job job) {
    return graders.requests().stream()
        .filter(request -> request.getJobId().equals(job.id().toString()))
        .toList();
  }

  private List<RolloutScored> awaitRound(Job job, int round) {
    return await("round " + round)
        .atMost(LONG)
        .until(() -> rounds.collect(job, round), Optional::isPresent)
        .orElseThrow();
  }

  private Job job(String line) {
    return job(line, "{}");
  }

  private Job job(String line, String rollouts) {
    TrainingSpec spec =
        Messages.fromJson(
                "{\"line\":\"%s\",\"rloo\":{},\"rollouts\":%s}".formatted(line, rollouts),
                TrainingSpec.newBuilder())
            .build();
    UUID id = jobs.create(Tenant.DEFAULT, UUID.randomUUID().toString(), spec, "ann").id();
    return jobs.change(
        Tenant.DEFAULT,
        id,
        (handle, job) -> job.require(JobState.Queued.class).start(Candidates.SNAPSHOT, 0));
  }

  /** Ten prompts, two answers each, sixteen answers a chunk: two chunks. */
  private void open(Job job, int round) throws IOException {
    Path staged = stores.of(Tenant.DEFAULT).stage("adapters");
    Files.writeString(staged.resolve("adapter_config.json"), job.id() + "/" + round);
    List<Prompt> prompts =
        IntStream.range(0, 10)
            .mapToObj(i -> Prompt.newBuilder().setText("prompt " + i).build())
            .toList();
    rounds.open(
        job,
        new Rounds.Question(
            round,
            stores.of(Tenant.DEFAULT).publishFolder("adapters", staged),
            "c0",
            prompts,
            EACH));
  }

  /** A token file of an attempt's own. */
  private Artifact tokens(RolloutRequested request, String content) {
    Path staged = stores.of(Tenant.DEFAULT).stage("rollouts");
    try {
      Files.writeString(staged.resolve("tokens.binpb"), request.getRolloutId() + content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return stores.of(Tenant.DEFAULT).publishFile("rollouts", staged, "tokens.binpb");
  }

  private RolloutScored scored(RolloutRequested request, long version, double score) {
    RolloutScored.Builder scored =
        RolloutScored.newBuilder()
            .setRolloutId(request.getRolloutId())
            .setJobId(request.getJobId())
            .setPurpose(request.getPurpose())
            .setTokens(tokens(request, ""));
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
