package io.attune.training;

import static io.attune.training.Graders.scored;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Failure;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.attune.training.adapter.AdapterCatalog;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.adapter.Lineage;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.v1.AdapterLineChanged;
import io.attune.training.v1.AdapterLineChanged.Change;
import io.attune.training.v1.GetLineageResponse;
import io.attune.training.v1.RolloutRequested;
import io.attune.training.v1.RolloutScored;
import io.attune.training.v1.TrainingJob.State;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(NoWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class GateIT {
  @Inject Candidates candidates;
  @Inject Jobs jobs;
  @Inject AdapterLines lines;
  @Inject AdapterCatalog catalog;
  @Inject Lineage lineage;
  @Inject MovableClock clock;

  @Test
  void aBetterPolicyIsReleasedAndItsLineSaysSo() throws Exception {
    try (Graders graders = Graders.answering(request -> List.of(better(request)))) {
      UUID id = candidates.policy("better", 0);

      Job job = awaitFinal(id);

      JobState.Released released = job.require(JobState.Released.class);
      assertThat(released.decision().getDifference()).isCloseTo(0.3, within(1e-6));
      assertThat(released.decision().getSampleSize()).isEqualTo(10);
      assertThat(released.decision().getReason())
          .startsWith("Released: mean reward")
          .contains("version 1 of better", "the base model");
      assertThat(changes("better", 2))
          .extracting(AdapterLineChanged::getChange)
          .containsExactly(Change.CHANGE_CANDIDATE, Change.CHANGE_RELEASED);
      assertThat(
              catalog.list(Tenant.DEFAULT, "better", Long.MAX_VALUE, 10).getActive().getVersion())
          .isEqualTo(1);
      assertThatBothSidesAnsweredTheSame(id, graders.requests());
    }
  }

  /** Ten prompts, two answers each, eight to a chunk: the same prompts and seeds for both sides. */
  private static void assertThatBothSidesAnsweredTheSame(UUID job, List<RolloutRequested> all) {
    List<RolloutRequested> mine =
        all.stream().filter(r -> r.getJobId().equals(job.toString())).toList();
    List<RolloutRequested> candidate =
        mine.stream().filter(r -> r.getPurpose().equals("gate/candidate")).toList();
    List<RolloutRequested> active =
        mine.stream().filter(r -> r.getPurpose().equals("gate/active")).toList();
    assertThat(candidate).hasSize(3).allMatch(RolloutRequested::hasArtifact);
    assertThat(active).hasSize(3).noneMatch(RolloutRequested::hasArtifact);
    assertThat(candidate)
        .extracting(RolloutRequested::getPromptsList, RolloutRequested::getSampling)
        .containsExactlyInAnyOrderElementsOf(
            active.stream().map(r -> tuple(r.getPromptsList(), r.getSampling())).toList());
    assertThat(candidate.stream().mapToInt(RolloutRequested::getPromptsCount).sum()).isEqualTo(20);
    assertThat(candidate).extracting(r -> r.getSampling().getSeed()).doesNotHaveDuplicates();
  }

  @Test
  void aPolicyThatIsNotBetterIsRefused() throws Exception {
    try (Graders graders = Graders.answering(request -> List.of(scored(request, 0.5, 1)))) {
      Job job = awaitFinal(candidates.policy("equal", 0));

      assertThat(job.require(JobState.Refused.class).decision().getReason())
          .startsWith("Refused, the margin is not reached");
      assertThat(changes("equal", 2).get(1).getChange()).isEqualTo(Change.CHANGE_REFUSED);
      assertThat(changes("equal", 2).get(1).hasActive()).isFalse();
      assertThat(graders.requests()).isNotEmpty();
    }
  }

  @Test
  void aFailureThatPassesIsAskedAgainAndARepeatChangesNothing() throws Exception {
    try (Graders graders =
        Graders.answering(
            request ->
                request.getRolloutId().endsWith("/1")
                    ? List.of(failed(request, ErrorCode.ERROR_CODE_UNAVAILABLE))
                    : List.of(better(request), scored(request, 0, 1)))) {
      Job job = awaitFinal(candidates.policy("later", 0));

      assertThat(job.require(JobState.Released.class).decision().getDifference())
          .isCloseTo(0.3, within(1e-6));
      assertThat(graders.requests()).anyMatch(r -> r.getRolloutId().endsWith("/2"));
    }
  }

  @Test
  void answersThatTwoRewardModelsScoredAreAskedAgain() throws Exception {
    try (Graders graders =
        Graders.answering(
            request -> {
              boolean first = request.getRolloutId().endsWith("candidate/0/1");
              return List.of(first ? scored(request, 0.9, 1) : better(request, 2));
            })) {
      Job job = awaitFinal(candidates.policy("mixed", 0));

      assertThat(job.require(JobState.Released.class).decision().getReason())
          .contains("by version 2 of reward");
      assertThat(graders.requests()).anyMatch(r -> r.getRolloutId().endsWith("candidate/0/2"));
    }
  }

  @Test
  void aFailureForGoodFailsTheJob() throws Exception {
    try (Graders graders =
        Graders.answering(r -> List.of(failed(r, ErrorCode.ERROR_CODE_INCOMPATIBLE)))) {
      Job job = awaitFinal(candidates.policy("broken", 0));

      assertThat(job.require(JobState.Failed.class).failure().getCode())
          .isEqualTo(ErrorCode.ERROR_CODE_INCOMPATIBLE);
      assertThat(graders.requests()).isNotEmpty();
    }
  }

  @Test
  void noAnswersUntilTheDeadlineFailTheJob() {
    UUID id = candidates.policy("silent", 0);

    clock.forward(Duration.ofHours(2));

    assertThat(awaitFinal(id).require(JobState.Failed.class).failure())
        .matches(failure -> failure.getCode() == ErrorCode.ERROR_CODE_UNAVAILABLE)
        .matches(failure -> failure.getMessage().contains("6 of 6 chunks"));
  }

  @Test
  void aRewardModelMustBeatChanceAndThenTheActiveOne() {
    assertThat(awaitFinal(candidates.reward("judges", 0, 11, Optional.empty())).state())
        .isInstanceOf(JobState.Refused.class);
    Job first = awaitFinal(candidates.reward("judges", 0, 17, Optional.empty()));
    assertThat(first.require(JobState.Released.class).decision().getReason())
        .contains("0.8500 for version 2 of judges and 0.5000 for chance");
    Job worse = awaitFinal(candidates.reward("judges", 2, 15, Optional.of(17)));
    assertThat(worse.require(JobState.Refused.class).decision().getActive().getVersion())
        .isEqualTo(2);
    assertThat(awaitFinal(candidates.reward("judges", 2, 20, Optional.of(12))).state())
        .isInstanceOf(JobState.Released.class);
    assertThat(catalog.list(Tenant.DEFAULT, "judges", Long.MAX_VALUE, 10).getActive().getVersion())
        .isEqualTo(4);
  }

  @Test
  void anEarlierReleaseBecomesActiveAgainAndLineageStays() {
    candidates.reward("rolled", 0, 20, Optional.empty());
    awaitActive("rolled", 1);
    awaitFinal(candidates.reward("rolled", 1, 1, Optional.of(20)));
    awaitFinal(candidates.reward("rolled", 1, 20, Optional.of(10)));
    awaitActive("rolled", 3);

    assertThat(lines.rollBack(Tenant.DEFAULT, "rolled", 1).getVersion()).isEqualTo(1);
    assertThat(lines.rollBack(Tenant.DEFAULT, "rolled", 1).getVersion()).isEqualTo(1);
    assertThat(lines.rollBack(Tenant.DEFAULT, "rolled", 0).getVersion()).isZero();
    assertThatThrownBy(() -> lines.rollBack(Tenant.DEFAULT, "rolled", 2))
        .hasMessageContaining("never passed");
    assertThatThrownBy(() -> lines.rollBack(Tenant.DEFAULT, "rolled", 9))
        .hasMessageContaining("no version 9");
    assertThatThrownBy(() -> lines.rollBack(Tenant.DEFAULT, "nowhere", 0))
        .isInstanceOf(PlatformException.class);

    List<AdapterLineChanged> changes = changes("rolled", 8);
    assertThat(changes)
        .extracting(AdapterLineChanged::getRevision)
        .isSorted()
        .doesNotHaveDuplicates();
    assertThat(changes.get(6).getChange()).isEqualTo(Change.CHANGE_ROLLED_BACK);
    assertThat(changes.get(6).getActive().getVersion().getVersion()).isEqualTo(1);
    assertThat(changes.get(6).getSubject().getVersion().getVersion()).isEqualTo(3);
    assertThat(changes.get(7).hasActive()).isFalse();
    GetLineageResponse page = lineage.get(Tenant.DEFAULT, "rolled", 3, 0, 60);
    assertThat(page.getLineage().getRatingIdsList()).hasSize(60).startsWith("r000");
    assertThat(page.getLineage().getRatingCount()).isEqualTo(100);
    assertThat(page.getLineage().getSnapshot()).isEqualTo(Candidates.SNAPSHOT);
    assertThat(page.getLineage().getAncestorsList())
        .extracting(v -> v.getVersion())
        .containsExactly(1L);
    assertThat(
            lineage.get(Tenant.DEFAULT, "rolled", 3, Long.parseLong(page.getNextPageToken()), 60))
        .matches(rest -> rest.getLineage().getRatingIdsCount() == 40)
        .matches(rest -> rest.getNextPageToken().isEmpty());
  }

  @Test
  void aCandidateThatWasComparedWithAnotherVersionIsNotReleased() throws Exception {
    UUID waiting = candidates.policy("moved", 0);
    try (Graders graders = Graders.answering(request -> List.of(better(request)))) {
      awaitFinal(waiting);
      UUID second = candidates.policy("moved", 1);
      lines.rollBack(Tenant.DEFAULT, "moved", 0);

      assertThat(awaitFinal(second).require(JobState.Failed.class).failure().getCode())
          .isEqualTo(ErrorCode.ERROR_CODE_CONFLICT);
      assertThat(graders.requests()).isNotEmpty();
    }
  }

  @Test
  void everyTransitionIsAnEvent() {
    UUID id = candidates.reward("told", 0, 20, Optional.empty());
    awaitFinal(id);

    List<State> states = new ArrayList<>();
    try (KafkaConsumer<String, byte[]> reader = Topic.reader("training.jobs.v1")) {
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> {
                Topic.poll(reader, io.attune.training.v1.TrainingJobChanged.class).stream()
                    .map(io.attune.training.v1.TrainingJobChanged::getJob)
                    .filter(job -> job.getId().equals(id.toString()))
                    .forEach(job -> states.add(job.getState()));
                return states.size() >= 4;
              });
    }
    assertThat(states)
        .containsExactly(
            State.STATE_QUEUED, State.STATE_TRAINING, State.STATE_EVALUATING, State.STATE_RELEASED);
  }

  private static RolloutScored better(RolloutRequested request) {
    return better(request, 1);
  }

  private static RolloutScored better(RolloutRequested request, long rewardVersion) {
    return scored(
        request, request.getPurpose().equals("gate/candidate") ? 0.8 : 0.5, rewardVersion);
  }

  private static RolloutScored failed(RolloutRequested request, ErrorCode code) {
    return scored(request, 0, 0).toBuilder()
        .clearScores()
        .setFailure(Failure.newBuilder().setCode(code).setMessage("no answer"))
        .build();
  }

  private Job awaitFinal(UUID id) {
    return await("job " + id)
        .atMost(Duration.ofSeconds(60))
        .until(() -> jobs.get(Tenant.DEFAULT, id.toString()), Job::isFinal);
  }

  private void awaitActive(String line, long version) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                catalog.list(Tenant.DEFAULT, line, Long.MAX_VALUE, 1).getActive().getVersion()
                    == version);
  }

  private static List<AdapterLineChanged> changes(String line, int count) {
    List<AdapterLineChanged> changes = new ArrayList<>();
    try (KafkaConsumer<String, byte[]> reader = Topic.reader("training.adapters.v1")) {
      await("changes of " + line)
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> {
                Topic.poll(reader, AdapterLineChanged.class).stream()
                    .filter(change -> change.getLine().equals(line))
                    .forEach(changes::add);
                return changes.size() >= count;
              });
    }
    return changes;
  }
}
