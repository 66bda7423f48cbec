package io.attune.training.release;

import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Failure;
import io.attune.common.v1.Prompt;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.Outbox;
import io.attune.serving.v1.SamplingParameters;
import io.attune.training.TrainingConfig;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.adapter.AdapterStore;
import io.attune.training.job.Job;
import io.attune.training.release.Rollouts.Arm;
import io.attune.training.release.Rollouts.Chunk;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.GateDecision;
import io.attune.training.v1.RolloutRequested;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jdbi.v3.core.Handle;

/**
 * Compares two versions of a policy: both answer the same held-out prompts with the same seeds,
 * serving samples and the released reward model scores. What is asked and what came back is in the
 * database, so that a restart of this service loses nothing.
 */
@ApplicationScoped
public class PolicyGate {
  private final Rollouts rollouts;
  private final AdapterStore adapters;
  private final Outbox outbox;
  private final TrainingConfig.Gate config;
  private final Clock clock;

  @Inject
  public PolicyGate(
      Rollouts rollouts, AdapterStore adapters, Outbox outbox, TrainingConfig config, Clock clock) {
    this.rollouts = rollouts;
    this.adapters = adapters;
    this.outbox = outbox;
    this.config = config.gate();
    this.clock = clock;
  }

  /**
   * Refuses a policy that was to follow a reward model, where that came to nothing and no other one
   * is released: nothing could score its answers.
   *
   * @param before the reward job
   */
  void requireRewardModel(Handle handle, Job before) {
    String line = config.rewardLine();
    boolean released =
        adapters.findLine(handle, line).filter(found -> found.activeVersion() > 0).isPresent();
    if (!released) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_CONFLICT,
          "No version of line %s is released that could score this job's answers, and job %s, which was to make one, ended without: %s Collect more ratings and start again."
              .formatted(line, before.id(), before.state().reason()));
    }
  }

  /** Asks for the answers of both sides, in the transaction that submits the candidate. */
  public void open(Handle handle, Job job, AdapterVersion candidate, List<Prompt> prompts) {
    String line = candidate.getLine();
    long active = adapters.findLine(handle, line).orElseThrow().activeVersion();
    ask(handle, job, Arm.CANDIDATE, line, candidate.getVersion(), prompts);
    ask(handle, job, Arm.ACTIVE, line, active, prompts);
  }

  private void ask(
      Handle handle, Job job, Arm arm, String line, long version, List<Prompt> prompts) {
    List<Prompt> repeated = new ArrayList<>();
    for (Prompt prompt : prompts) {
      for (int i = 0; i < config.samplesPerPrompt(); i++) {
        repeated.add(prompt);
      }
    }
    Optional<Adapter> adapter = adapters.find(handle, line, version);
    AdapterVersion asked = adapter.map(Adapter::getVersion).orElse(AdapterLines.base(line));
    for (int from = 0, chunk = 0; from < repeated.size(); from += config.chunkSize(), chunk++) {
      int to = Math.min(from + config.chunkSize(), repeated.size());
      RolloutRequested.Builder request =
          RolloutRequested.newBuilder()
              .setJobId(job.id().toString())
              .setPurpose(arm.purpose())
              .setAdapter(asked)
              .addAllPrompts(repeated.subList(from, to))
              .setSampling(sampling(job, from))
              .setRewardLine(config.rewardLine());
      adapter.ifPresent(found -> request.setArtifact(found.getArtifact()));
      send(handle, job, arm, chunk, 1, request);
    }
  }

  /** Prompt i of a chunk is sampled with seed + i: the two sides draw the same random numbers. */
  private SamplingParameters sampling(Job job, int from) {
    return SamplingParameters.newBuilder()
        .setTemperature(config.temperature())
        .setMaxNewTokens(config.maxNewTokens())
        .setSeed((job.id().getLeastSignificantBits() & Integer.MAX_VALUE) + from)
        .build();
  }

  private void send(
      Handle handle, Job job, Arm arm, int chunk, int attempt, RolloutRequested.Builder request) {
    Instant now = clock.instant();
    RolloutRequested event =
        request.setRolloutId(Rollouts.id(job.id(), arm, chunk, attempt)).build();
    rollouts.put(
        handle,
        job.id(),
        new Chunk(arm, chunk, attempt, event, now, Optional.empty(), 0, Optional.empty()));
    outbox.add(handle, event, "rollout/" + event.getRolloutId(), now);
  }

  /**
   * Decides, once all answers are scored.
   *
   * @return empty while answers are missing
   * @throws PlatformException when answers failed for good, or the deadline has passed
   */
  public Optional<GateDecision> decide(Handle handle, Job job) {
    List<Chunk> chunks = rollouts.of(handle, job.id());
    List<Chunk> missing = chunks.stream().filter(chunk -> chunk.scores().isEmpty()).toList();
    Instant now = clock.instant();
    if (!missing.isEmpty()) {
      requireTime(job, now, chunks.size(), missing);
      missing.forEach(chunk -> askAgain(handle, job, chunk, now));
      return Optional.empty();
    }
    // A reward model that was released in between would make the two sides incomparable.
    TreeSet<Long> versions = new TreeSet<>();
    chunks.forEach(chunk -> versions.add(chunk.rewardVersion()));
    if (versions.size() > 1) {
      requireTime(job, now, chunks.size(), List.of());
      chunks.stream()
          .filter(chunk -> chunk.rewardVersion() != versions.last())
          .forEach(chunk -> repeat(handle, job, chunk));
      return Optional.empty();
    }
    return Optional.of(compare(job, chunks));
  }

  private void requireTime(Job job, Instant now, int chunks, List<Chunk> missing) {
    if (now.isAfter(job.updateTime().plus(config.deadline()))) {
      String last =
          missing.stream()
              .flatMap(chunk -> chunk.failure().stream())
              .map(Failure::getMessage)
              .findFirst()
              .orElse("no answer came");
      throw new PlatformException(
          ErrorCode.ERROR_CODE_UNAVAILABLE,
          "The gate waited %s for serving and reward, and %d of %d chunks of answers are missing (%s): see that both run, and that line %s has a released version."
              .formatted(config.deadline(), missing.size(), chunks, last, config.rewardLine()));
    }
  }

  private void askAgain(Handle handle, Job job, Chunk chunk, Instant now) {
    if (chunk.failure().isEmpty()) {
      return;
    }
    Failure failure = chunk.failure().get();
    if (!ErrorCodes.retryable(failure.getCode())) {
      throw new PlatformException(
          failure.getCode(), "The gate got no answers: " + failure.getMessage());
    }
    if (now.isAfter(chunk.requestedTime().plus(config.retryDelay()))) {
      repeat(handle, job, chunk);
    }
  }

  private void repeat(Handle handle, Job job, Chunk chunk) {
    send(
        handle, job, chunk.arm(), chunk.number(), chunk.attempt() + 1, chunk.request().toBuilder());
  }

  private GateDecision compare(Job job, List<Chunk> chunks) {
    for (Chunk chunk : chunks) {
      int scores = chunk.scores().orElseThrow().size();
      if (scores != chunk.request().getPromptsCount()) {
        throw new PlatformException(
            ErrorCode.ERROR_CODE_INTERNAL,
            "Rollout %s has %d prompts and came back with %d scores."
                .formatted(
                    chunk.request().getRolloutId(), chunk.request().getPromptsCount(), scores));
      }
    }
    double[] candidate = byPrompt(chunks, Arm.CANDIDATE);
    double[] active = byPrompt(chunks, Arm.ACTIVE);
    AdapterVersion compared = version(chunks, Arm.ACTIVE);
    AdapterVersion made = version(chunks, Arm.CANDIDATE);
    Gate gate =
        new Gate(config.policyMargin(), config.resamples(), job.id().getLeastSignificantBits());
    return gate.decide(
        candidate,
        active,
        compared,
        new Gate.Words(
            "mean reward (by version %d of %s)"
                .formatted(chunks.get(0).rewardVersion(), config.rewardLine()),
            "held-out prompts",
            words(made),
            words(compared)));
  }

  static String words(AdapterVersion version) {
    return version.getVersion() == 0
        ? "the base model"
        : "version " + version.getVersion() + " of " + version.getLine();
  }

  private static AdapterVersion version(List<Chunk> chunks, Arm arm) {
    return chunks.stream()
        .filter(chunk -> chunk.arm() == arm)
        .findFirst()
        .orElseThrow()
        .request()
        .getAdapter();
  }

  private double[] byPrompt(List<Chunk> chunks, Arm arm) {
    double[] scores =
        chunks.stream()
            .filter(chunk -> chunk.arm() == arm)
            .flatMap(chunk -> chunk.scores().orElseThrow().stream())
            .mapToDouble(Double::doubleValue)
            .toArray();
    return meanOfEach(scores, config.samplesPerPrompt());
  }

  /** Answers to one prompt are no independent evidence: their mean is. */
  static double[] meanOfEach(double[] values, int size) {
    double[] means = new double[values.length / size];
    for (int i = 0; i < values.length; i++) {
      means[i / size] += values[i] / size;
    }
    return means;
  }
}
