package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.schedule.AbandonedFolders;
import io.attune.training.v1.DpoObjective;
import io.attune.training.v1.TrainingSpec;
import io.attune.training.worker.JobFolder;
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
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(NoWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class AbandonedFoldersIT {
  @Inject AbandonedFolders abandoned;
  @Inject Candidates candidates;
  @Inject Jobs jobs;
  @Inject TrainingConfig config;

  @Test
  void foldersThatNoJobNeedsAreDeletedAndNoOthers() throws IOException {
    Path queued = folder(create());
    Path training = folder(training());
    UUID broken = create();
    jobs.fail(
        jobs.get(Tenant.DEFAULT, broken.toString()),
        new PlatformException(ErrorCode.ERROR_CODE_DIVERGED, "broken"));
    Path failed = folder(broken);
    Path nobodys = folder(UUID.randomUUID());
    Path other = Files.createDirectories(config.folder().resolve("lost+found"));
    UUID stopped = create();
    jobs.cancel(Tenant.DEFAULT, stopped.toString());
    Path cancelled = folder(stopped);
    UUID atTheGate = candidates.policy("abandoned", 0);
    Path evaluating = folder(atTheGate);
    Path released = folder(released());

    List<JobFolder> found = abandoned.find();
    found.forEach(abandoned::delete);

    assertThat(found)
        .extracting(JobFolder::root)
        .containsExactlyInAnyOrder(cancelled, evaluating, released);
    assertThat(List.of(cancelled, evaluating, released)).noneMatch(Files::exists);
    assertThat(List.of(queued, training, failed, nobodys)).allMatch(this::isWhole);
    assertThat(other).isDirectory();
    jobs.cancel(Tenant.DEFAULT, atTheGate.toString());
  }

  private UUID create() {
    TrainingSpec spec =
        TrainingSpec.newBuilder()
            .setLine("abandoned")
            .setDpo(DpoObjective.getDefaultInstance())
            .build();
    return jobs.create(Tenant.DEFAULT, UUID.randomUUID().toString(), spec, "ann").id();
  }

  private UUID training() {
    UUID id = create();
    jobs.change(
        Tenant.DEFAULT,
        id,
        (handle, job) -> job.require(JobState.Queued.class).start(Candidates.SNAPSHOT, 0));
    return id;
  }

  private UUID released() {
    UUID id = candidates.reward("abandoned-reward", 0, 20, Optional.empty());
    await("release")
        .atMost(Duration.ofSeconds(30))
        .until(() -> jobs.get(Tenant.DEFAULT, id.toString()).state() instanceof JobState.Released);
    return id;
  }

  /** As a run leaves it that has begun. */
  private Path folder(UUID job) throws IOException {
    Path folder = config.folder().toAbsolutePath().resolve(job.toString());
    Files.createDirectories(folder.resolve("run").resolve("checkpoint-20"));
    Files.writeString(folder.resolve("run").resolve("checkpoint-20").resolve("state"), "state");
    Files.writeString(folder.resolve("job.json"), "{}");
    return folder;
  }

  private boolean isWhole(Path folder) {
    return Files.exists(folder.resolve("run").resolve("checkpoint-20").resolve("state"))
        && Files.exists(folder.resolve("job.json"));
  }
}
