package io.attune.training.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Failure;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.DpoObjective;
import io.attune.training.v1.GateDecision;
import io.attune.training.v1.Progress;
import io.attune.training.v1.TrainingJob;
import io.attune.training.v1.TrainingSpec;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class JobStateTest {
  private static final Artifact SNAPSHOT = Artifact.newBuilder().setSha256("5a").build();
  private static final AdapterVersion CANDIDATE =
      AdapterVersion.newBuilder().setLine("assistant").setVersion(4).setSha256("ad").build();
  private static final GateDecision DECISION = GateDecision.newBuilder().setReason("why").build();
  private static final Failure FAILURE =
      Failure.newBuilder().setCode(ErrorCode.ERROR_CODE_DIVERGED).setMessage("NaN").build();
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05.678901Z");

  private static final JobState.Queued QUEUED = new JobState.Queued();
  private static final JobState.Training TRAINING =
      QUEUED.start(SNAPSHOT, 3).advance(Progress.newBuilder().setStep(7).setLoss(0.5).build());
  private static final JobState.Evaluating EVALUATING = TRAINING.submit(CANDIDATE);

  static Stream<JobState> states() {
    return Stream.of(
        QUEUED,
        TRAINING,
        EVALUATING,
        EVALUATING.release(DECISION),
        EVALUATING.refuse(DECISION),
        TRAINING.fail(FAILURE),
        QUEUED.cancel());
  }

  /** The whole table of transitions, read from the methods that states have. */
  @Test
  void onlyLegalTransitionsExist() {
    Map<String, Set<String>> transitions =
        Arrays.stream(JobState.class.getDeclaredClasses())
            .filter(type -> type.isRecord() && JobState.class.isAssignableFrom(type))
            .collect(Collectors.toMap(Class::getSimpleName, JobStateTest::targets));

    assertThat(transitions)
        .containsOnly(
            Map.entry("Queued", Set.of("Training", "Failed", "Cancelled")),
            Map.entry("Training", Set.of("Training", "Evaluating", "Failed", "Cancelled")),
            Map.entry("Evaluating", Set.of("Released", "Refused", "Failed", "Cancelled")),
            Map.entry("Released", Set.of()),
            Map.entry("Refused", Set.of()),
            Map.entry("Failed", Set.of()),
            Map.entry("Cancelled", Set.of()));
  }

  private static Set<String> targets(Class<?> state) {
    return Arrays.stream(state.getMethods())
        .filter(method -> !Modifier.isStatic(method.getModifiers()))
        .map(Method::getReturnType)
        .filter(type -> JobState.class.isAssignableFrom(type))
        .map(Class::getSimpleName)
        .collect(Collectors.toSet());
  }

  @ParameterizedTest
  @MethodSource("states")
  void aJobSurvivesItsMessage(JobState state) {
    Job job = job(state);

    Job read =
        JobMessages.fromMessage(
            job.tenant(),
            JobMessages.toMessage(job),
            job.state().work().parentVersion(),
            job.revision());

    assertThat(read).isEqualTo(job);
  }

  @Test
  void everyStateOfTheContractIsAState() {
    assertThat(states().map(JobMessages::state))
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(TrainingJob.State.values())
                .filter(s -> s != TrainingJob.State.STATE_UNSPECIFIED)
                .filter(s -> s != TrainingJob.State.UNRECOGNIZED)
                .toList());
  }

  @Test
  void whatWasReachedStaysInFinalStates() {
    JobState.Cancelled cancelled = EVALUATING.cancel();

    assertThat(cancelled.work().snapshot()).contains(SNAPSHOT);
    assertThat(cancelled.work().candidate()).contains(CANDIDATE);
    assertThat(cancelled.work().parentVersion()).isEqualTo(3);
    assertThat(cancelled.work().progress().getStep()).isEqualTo(7);
  }

  @Test
  void anotherStateThanTheExpectedOneIsAConflict() {
    assertThat(job(TRAINING).require(JobState.Training.class)).isEqualTo(TRAINING);
    assertThatThrownBy(() -> job(QUEUED.cancel()).require(JobState.Training.class))
        .isInstanceOfSatisfying(
            PlatformException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.ERROR_CODE_CONFLICT))
        .hasMessageContaining("CANCELLED, not TRAINING");
  }

  private static Job job(JobState state) {
    TrainingSpec spec =
        TrainingSpec.newBuilder()
            .setLine("assistant")
            .setDpo(DpoObjective.newBuilder().setBeta(0.2))
            .build();
    return new Job(Tenant.DEFAULT, new UUID(1, 2), spec, state, "ann", NOW, NOW.plusSeconds(5), 9);
  }
}
