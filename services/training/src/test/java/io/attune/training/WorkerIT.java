package io.attune.training;

import static io.attune.training.Graders.scored;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStores;
import io.attune.testkit.Infrastructure;
import io.attune.training.adapter.AdapterCatalog;
import io.attune.training.adapter.Lineage;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.GetLineageResponse;
import io.attune.training.v1.TrainingSpec;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(TinyModel.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class WorkerIT {
  private static final Duration LONG = Duration.ofMinutes(4);

  @Inject Jobs jobs;
  @Inject AdapterCatalog catalog;
  @Inject Lineage lineage;
  @Inject ObjectStores stores;
  @Inject TrainingConfig config;

  @BeforeEach
  void ratings() {
    Ingestion.holds(Optional.of(TinyModel.ratings(80)));
  }

  @Test
  void aRewardModelIsTrainedExaminedAndReleased() {
    Job job = awaitFinal(create("judge", "\"reward\":{}", 60));

    JobState.Released released = job.require(JobState.Released.class);
    // Twenty held-out prompts, whose answers no training row holds; chance is one half.
    assertThat(released.decision().getSampleSize()).isEqualTo(20);
    assertThat(released.decision().getCandidateMean()).isGreaterThan(0.9);
    assertThat(released.decision().getActiveMean()).isEqualTo(0.5);
    assertThat(released.work().progress().getStep()).isEqualTo(60);
    Adapter adapter = catalog.list(Tenant.DEFAULT, "judge", Long.MAX_VALUE, 1).getAdapters(0);
    Path folder = stores.of(Tenant.DEFAULT).open(adapter.getArtifact());
    assertThat(folder)
        .isDirectoryContaining(file -> file.endsWith("adapter_model.safetensors"))
        .isDirectoryContaining(file -> file.endsWith("adapter_config.json"))
        .isDirectoryContaining(file -> file.endsWith("attune.json"));
    assertThat(adapter.getContractSha256()).hasSize(64);
  }

  @Test
  void aPolicyGoesOnFromTheActiveOneAndItsLineageSaysSo() throws Exception {
    try (Graders graders =
        Graders.answering(
            request -> List.of(scored(request, request.getAdapter().getVersion() * 0.2, 1)))) {
      awaitFinal(create("pupil", "\"dpo\":{}", 10)).require(JobState.Released.class);
      Job second = awaitFinal(create("pupil", "\"dpo\":{}", 10));

      assertThat(second.require(JobState.Released.class).work().parentVersion()).isEqualTo(1);
      GetLineageResponse made = lineage.get(Tenant.DEFAULT, "pupil", 2, 0, 1_000);
      // Sixty prompts are not held out, and each has one pair, made of two ratings.
      assertThat(made.getLineage().getRatingCount()).isEqualTo(120);
      assertThat(made.getLineage().getRatingIdsList())
          .isSorted()
          .contains("0001-good", "0001-poor")
          .doesNotContain("0000-good", "0004-poor");
      assertThat(made.getLineage().getAncestorsList())
          .extracting(AdapterVersion::getVersion)
          .containsExactly(1L);
      assertThat(graders.requests()).anyMatch(r -> r.getAdapter().getVersion() == 2);
    }
  }

  @Test
  void aWorkerThatIsKilledIsStartedAgainAndItsJobCompletes() {
    UUID id = create("survivor", "\"reward\":{}", 400);
    ProcessHandle worker = awaitStep(id, 25);
    Queue<Long> steps = new ConcurrentLinkedQueue<>();
    jobs.watch(Tenant.DEFAULT, id.toString())
        .subscribe()
        .with(job -> steps.add(job.state().work().progress().getStep()));

    worker.destroyForcibly();
    Job job = awaitFinal(id);

    assertThat(job.state()).isInstanceOfAny(JobState.Released.class, JobState.Refused.class);
    assertThat(job.state().work().progress().getStep()).isEqualTo(400);
    // The second process began after a checkpoint, so none of its steps is one of the first twenty.
    assertThat(steps).isNotEmpty().allMatch(step -> step > 20);
  }

  @Test
  void aCancelledJobEndsItsWorkerAndLeavesNoFolder() throws Exception {
    UUID id = create("quitter", "\"reward\":{}", 100_000);
    ProcessHandle worker = awaitStep(id, 1);

    jobs.cancel(Tenant.DEFAULT, id.toString());

    worker.onExit().get(60, TimeUnit.SECONDS);
    await("folder to be gone").atMost(LONG).until(() -> !Files.exists(folder(id)));
    assertThat(jobs.get(Tenant.DEFAULT, id.toString()).state())
        .isInstanceOf(JobState.Cancelled.class);
  }

  @Test
  void settingsThatDivergeFailTheJobWithThatReason() {
    TrainingSpec.Builder spec = spec("exploder", "\"reward\":{}", 50).toBuilder();
    spec.getArgumentsBuilder().setLearningRate(1);
    spec.getLoraBuilder().setLoraAlpha(1e30);

    Job job =
        awaitFinal(
            jobs.create(Tenant.DEFAULT, UUID.randomUUID().toString(), spec.build(), "ann").id());

    assertThat(job.require(JobState.Failed.class).failure().getCode())
        .isEqualTo(ErrorCode.ERROR_CODE_DIVERGED);
    assertThat(folder(job.id()).resolve("worker.log")).content().contains("DIVERGED");
  }

  private Path folder(UUID job) {
    return config.folder().resolve(job.toString());
  }

  private UUID create(String line, String objective, int steps) {
    return jobs.create(
            Tenant.DEFAULT, UUID.randomUUID().toString(), spec(line, objective, steps), "ann")
        .id();
  }

  private static TrainingSpec spec(String line, String objective, int steps) {
    String json = "{\"line\":\"%s\",%s,%s}".formatted(line, objective, TinyModel.arguments(steps));
    return Messages.fromJson(json, TrainingSpec.newBuilder()).build();
  }

  /** Waits until a job's process has made some steps; the process is this one's child. */
  private ProcessHandle awaitStep(UUID id, long step) {
    await("step " + step)
        .atMost(LONG)
        .until(
            () ->
                jobs.get(Tenant.DEFAULT, id.toString()).state().work().progress().getStep()
                    >= step);
    return ProcessHandle.current()
        .children()
        .filter(child -> child.info().command().orElse("").endsWith("java"))
        .findFirst()
        .orElseThrow();
  }

  private Job awaitFinal(UUID id) {
    return await("job " + id)
        .atMost(LONG)
        .until(() -> jobs.get(Tenant.DEFAULT, id.toString()), Job::isFinal);
  }
}
