package io.attune.training.schedule;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.common.v1.Artifact;
import io.attune.common.v1.ChatMessage;
import io.attune.common.v1.Conversation;
import io.attune.common.v1.Prompt;
import io.attune.feedback.v1.Snapshot;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.storage.ObjectStore;
import io.attune.platform.storage.ObjectStores;
import io.attune.training.Messages;
import io.attune.training.TrainingConfig;
import io.attune.training.adapter.AdapterStore;
import io.attune.training.dataset.RowSet;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.release.Submission;
import io.attune.training.v1.Adapter;
import io.attune.training.worker.JobFolder;
import io.attune.training.worker.Learning;
import io.attune.training.worker.WorkerOrder;
import io.attune.training.worker.WorkerResult;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jdbi.v3.core.Handle;

/** Gives a job what its process needs, and takes from its process what it made. */
@ApplicationScoped
public class Workplace {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final TenantTransactions transactions;
  private final Jobs jobs;
  private final AdapterStore adapters;
  private final Snapshots snapshots;
  private final ObjectStores objects;
  private final TrainingConfig config;
  private final Path baseModel;
  private final Optional<Path> rewardEncoder;
  private final int threads;

  @Inject
  Workplace(
      TenantTransactions transactions,
      Jobs jobs,
      AdapterStore adapters,
      Snapshots snapshots,
      ObjectStores objects,
      TrainingConfig config,
      @ConfigProperty(name = "attune.base-model") Path baseModel,
      @ConfigProperty(name = "attune.threads", defaultValue = "2") int threads) {
    this.transactions = transactions;
    this.jobs = jobs;
    this.adapters = adapters;
    this.snapshots = snapshots;
    this.objects = objects;
    this.config = config;
    this.baseModel = baseModel;
    this.rewardEncoder = config.rewardEncoder().map(Path::toAbsolutePath);
    this.threads = threads;
  }

  /** Cuts a queued job's snapshot and moves it to TRAINING, unless it was cancelled meanwhile. */
  Job start(Job queued) {
    Snapshot snapshot =
        snapshots.cut(queued.tenant(), queued.spec().getDataset(), queued.createdBy());
    return jobs.change(
        queued.tenant(),
        queued.id(),
        (handle, job) -> {
          if (!(job.state() instanceof JobState.Queued state)) {
            return job.state();
          }
          return state.start(snapshot.getFile(), parentVersion(handle, job));
        });
  }

  /** The active version, where training can go on from it; else 0. */
  private long parentVersion(Handle handle, Job job) {
    if (!config.continueFromActive()) {
      return 0;
    }
    String line = job.spec().getLine();
    long active = adapters.findLine(handle, line).orElseThrow().activeVersion();
    if (!job.spec().hasReward()) {
      return active;
    }
    // Whoever configures another kind of reward model begins anew.
    return adapters
        .find(handle, line, active)
        .filter(
            parent ->
                Learning.isAdapter(objects.of(job.tenant()).open(parent.getArtifact()))
                    != whole(job))
        .map(parent -> parent.getVersion().getVersion())
        .orElse(0L);
  }

  /** Whether a job trains a whole encoder, and no adapter of the base model. */
  private boolean whole(Job job) {
    return rewardEncoder.isPresent() && job.spec().hasReward();
  }

  /** Deletes a job's folder. */
  void clear(UUID job) {
    folder(job).delete();
  }

  /** A job's folder, which need not be there. */
  JobFolder folder(UUID job) {
    return new JobFolder(config.folder().resolve(job.toString()).toAbsolutePath());
  }

  /** Makes the folder of a job that trains, or finds the one that it had before a restart. */
  JobFolder prepare(Job job) {
    JobFolder folder = folder(job.id());
    if (Files.exists(folder.root().resolve("job.json"))) {
      return folder;
    }
    ObjectStore store = objects.of(job.tenant());
    JobState.Work work = job.state().work();
    Artifact snapshot = work.snapshot().orElseThrow();
    String line = job.spec().getLine();
    Optional<Adapter> parent =
        transactions.inTenant(
            job.tenant(), handle -> adapters.find(handle, line, work.parentVersion()));
    Optional<Adapter> active =
        job.spec().hasReward()
            ? transactions.inTenant(
                job.tenant(),
                handle ->
                    adapters
                        .findLine(handle, line)
                        .flatMap(l -> adapters.find(handle, line, l.activeVersion())))
            : Optional.empty();
    TrainingConfig.Gate gate = config.gate();
    folder.writeOrder(
        new WorkerOrder(
            job.id().toString(),
            Messages.toJson(job.spec()),
            store.open(snapshot).toString(),
            baseModel.toAbsolutePath().toString(),
            work.parentVersion(),
            parent.map(found -> open(store, found)).orElse(null),
            active.map(a -> a.getVersion().getVersion()).orElse(0L),
            active.map(found -> open(store, found)).orElse(null),
            whole(job) ? rewardEncoder.orElseThrow().toString() : null,
            threads,
            new RowSet.Limits(config.minimumRows(), gate.minimumSample(), gate.maximumSample())));
    return folder;
  }

  private static String open(ObjectStore store, Adapter adapter) {
    return store.open(adapter.getArtifact()).toString();
  }

  /** Publishes what a process has made. The same folder always makes the same submission. */
  Submission collect(Job job, JobFolder folder) {
    ObjectStore store = objects.of(job.tenant());
    WorkerResult result = folder.readResult().orElseThrow();
    Path staged = store.stage("adapters");
    try (Stream<Path> files = Files.list(folder.adapter())) {
      for (Path file : files.toList()) {
        Files.copy(file, staged.resolve(file.getFileName()));
      }
      List<Prompt> prompts = new ArrayList<>();
      for (String line : Files.readAllLines(folder.prompts())) {
        prompts.add(prompt(JSON.readTree(line)));
      }
      return new Submission(
          store.publishFolder("adapters", staged),
          result.contractSha256(),
          Files.readAllLines(folder.ratings()),
          Optional.ofNullable(result.exam()),
          prompts);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot collect what was made in " + folder.root(), e);
    }
  }

  /** A prompt as the contract has it, from text or an array of turns. */
  static Prompt prompt(JsonNode json) {
    if (json.isTextual()) {
      return Prompt.newBuilder().setText(json.asText()).build();
    }
    Conversation.Builder conversation = Conversation.newBuilder();
    for (JsonNode turn : json) {
      conversation.addMessages(
          ChatMessage.newBuilder()
              .setRole(turn.path("role").asText())
              .setContent(turn.path("content").asText()));
    }
    return Prompt.newBuilder().setConversation(conversation).build();
  }
}
