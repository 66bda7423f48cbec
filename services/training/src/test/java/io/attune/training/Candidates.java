package io.attune.training;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.Prompt;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStores;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.release.Releases;
import io.attune.training.release.RewardExam;
import io.attune.training.release.Submission;
import io.attune.training.v1.DpoObjective;
import io.attune.training.v1.RewardObjective;
import io.attune.training.v1.TrainingSpec;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;

/** Brings candidates to the gate as a job's run does, without its process. */
@ApplicationScoped
public class Candidates {
  static final Artifact SNAPSHOT =
      Artifact.newBuilder().setUri("file:///s").setSha256("5a").setSizeBytes(1).build();

  private final Jobs jobs;
  private final Releases releases;
  private final ObjectStores stores;

  @Inject
  public Candidates(Jobs jobs, Releases releases, ObjectStores stores) {
    this.jobs = jobs;
    this.releases = releases;
    this.stores = stores;
  }

  /** A policy candidate with ten held-out prompts, and a hundred ratings behind it. */
  UUID policy(String line, long parent) {
    return policy(Tenant.DEFAULT, line, parent);
  }

  /** The same of another tenant. */
  UUID policy(Tenant tenant, String line, long parent) {
    TrainingSpec spec =
        TrainingSpec.newBuilder().setLine(line).setDpo(DpoObjective.getDefaultInstance()).build();
    List<Prompt> prompts =
        IntStream.range(0, 10)
            .mapToObj(i -> Prompt.newBuilder().setText("prompt " + i).build())
            .toList();
    return submit(tenant, spec, parent, Optional.empty(), prompts);
  }

  /** A reward candidate that orders the first {@code right} of 20 pairs rightly. */
  UUID reward(String line, long active, int right, Optional<Integer> activeRight) {
    TrainingSpec spec =
        TrainingSpec.newBuilder()
            .setLine(line)
            .setReward(RewardObjective.getDefaultInstance())
            .build();
    List<RewardExam.Scores> pairs =
        IntStream.range(0, 20)
            .mapToObj(
                i ->
                    new RewardExam.Scores(
                        "p" + i,
                        i < right ? 1 : 0,
                        i < right ? 0 : 1,
                        activeRight.map(n -> i < n ? 1.0 : 0.0).orElse(null),
                        activeRight.map(n -> i < n ? 0.0 : 1.0).orElse(null)))
            .toList();
    return submit(
        Tenant.DEFAULT, spec, active, Optional.of(new RewardExam(active, false, pairs)), List.of());
  }

  private UUID submit(
      Tenant tenant,
      TrainingSpec spec,
      long parent,
      Optional<RewardExam> exam,
      List<Prompt> prompts) {
    Job job = jobs.create(tenant, UUID.randomUUID().toString(), spec, "ann");
    jobs.change(
        tenant,
        job.id(),
        (handle, now) -> now.require(JobState.Queued.class).start(SNAPSHOT, parent));
    List<String> ratings = IntStream.range(0, 100).mapToObj("r%03d"::formatted).toList();
    releases.submit(
        tenant, job.id(), new Submission(adapter(tenant, job.id()), "c0", ratings, exam, prompts));
    return job.id();
  }

  private Artifact adapter(Tenant tenant, UUID job) {
    try {
      Path staged = stores.of(tenant).stage("adapters");
      Files.writeString(staged.resolve("adapter_config.json"), "{\"job\":\"" + job + "\"}");
      return stores.of(tenant).publishFolder("adapters", staged);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
