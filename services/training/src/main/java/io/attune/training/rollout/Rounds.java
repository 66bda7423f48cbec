package io.attune.training.rollout;

import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Failure;
import io.attune.common.v1.Prompt;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.Spans;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.SamplingParameters;
import io.attune.training.TrainingConfig;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.job.Job;
import io.attune.training.job.JobStore;
import io.attune.training.job.SpecRules;
import io.attune.training.v1.LineKind;
import io.attune.training.v1.RolloutRequested;
import io.attune.training.v1.RolloutScored;
import io.attune.training.v1.TrainingArguments;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jboss.logging.Logger;
import org.jdbi.v3.core.Handle;

/**
 * The rounds of jobs that learn online. A round publishes the policy as the next version of the
 * job's rollout line, asks for answers by it in chunks, and ends when every chunk is answered and
 * scored. All of it is in the database, and changes in the transaction that asks or that reads what
 * came: a restart loses nothing, a repeat changes nothing.
 */
@ApplicationScoped
public class Rounds {
  private static final Logger LOG = Logger.getLogger(Rounds.class);

  /** The last one, and the one before, whose version a replica may be about to load. */
  private static final int ROUNDS_KEPT = 1;

  private final TenantTransactions transactions;
  private final JobStore jobs;
  private final RoundStore store;
  private final AdapterLines lines;
  private final SpentRounds spent;
  private final Outbox outbox;
  private final TrainingConfig.Rollouts config;
  private final String rewardLine;
  private final Clock clock;

  @Inject
  public Rounds(
      TenantTransactions transactions,
      JobStore jobs,
      RoundStore store,
      AdapterLines lines,
      SpentRounds spent,
      Outbox outbox,
      TrainingConfig config,
      Clock clock) {
    this.transactions = transactions;
    this.jobs = jobs;
    this.store = store;
    this.lines = lines;
    this.spent = spent;
    this.outbox = outbox;
    this.config = config.rollouts();
    this.rewardLine = config.gate().rewardLine();
    this.clock = clock;
  }

  /**
   * What a round needs.
   *
   * @param round from 0
   * @param policy the adapter that writes, in PEFT's layout
   * @param each answers to each prompt
   */
  public record Question(
      int round, Artifact policy, String contractSha256, List<Prompt> prompts, int each) {}

  /** Whether a round has been asked for. */
  public boolean isOpen(Job job, int round) {
    return transactions.inTenant(job.tenant(), handle -> store.isOpen(handle, job.id(), round));
  }

  /**
   * Publishes the policy and asks for answers by it; nothing if that is done already. What the
   * rounds long before it needed is deleted.
   */
  public void open(Job job, Question question) {
    transactions.useTenant(
        job.tenant(),
        handle -> {
          if (store.isOpen(handle, job.id(), question.round())) {
            return;
          }
          String line = SpecRules.rolloutLine(job.spec().getLine());
          lines.ensure(handle, line, LineKind.LINE_KIND_POLICY);
          AdapterVersion version =
              lines.advance(handle, job.id(), line, question.policy(), question.contractSha256());
          store.open(handle, job.id(), question.round(), version.getVersion());
          RoundJudges judges =
              RoundJudges.choose(handle, job, question.round(), rewardLine, store, lines);
          Span span =
              Spans.of("rollout round", Context.current())
                  .setAttribute("attune.job.id", job.id().toString())
                  .setAttribute("attune.round", question.round())
                  .setAttribute("attune.version", version.getVersion())
                  .startSpan();
          Spans.run(span, () -> ask(handle, job, version, question, judges));
        });
    outbox.wake();
    spent.delete(job.tenant(), job.id(), question.round() - ROUNDS_KEPT);
  }

  private void ask(
      Handle handle, Job job, AdapterVersion version, Question question, RoundJudges judges) {
    List<Prompt> prompts = question.prompts();
    int size = Math.max(1, config.chunkSize() / question.each());
    long seed = seed(job, question.round());
    for (int from = 0, chunk = 0; from < prompts.size(); from += size, chunk++) {
      RolloutRequested.Builder request =
          RolloutRequested.newBuilder()
              .setJobId(job.id().toString())
              .setPurpose("round")
              .setRound(question.round())
              .setAdapter(version)
              .setArtifact(question.policy())
              .addAllPrompts(prompts.subList(from, Math.min(from + size, prompts.size())))
              .setGenerationsPerPrompt(question.each())
              .setTokensByReference(true)
              .setSampling(
                  SamplingParameters.newBuilder()
                      .setTemperature((float) SpecRules.temperature(job.spec()))
                      .setMaxNewTokens(SpecRules.maxCompletionLength(job.spec()))
                      .setSeed(seed + (long) from * question.each()))
              .setRewardLine(rewardLine);
      judges.into(request);
      send(handle, new RoundChunk.Id(job.id(), question.round(), chunk), 1, request);
    }
  }

  /** Repeatable where the job is meant to be. */
  private static long seed(Job job, int round) {
    TrainingArguments arguments = job.spec().getArguments();
    long ofJob = arguments.hasSeed() ? arguments.getSeed() : job.id().getLeastSignificantBits();
    return new SplittableRandom(new SplittableRandom(ofJob).nextLong() + round).nextLong();
  }

  private void send(
      Handle handle, RoundChunk.Id id, int attempt, RolloutRequested.Builder request) {
    Instant now = clock.instant();
    RolloutRequested event = request.setRolloutId(id.rolloutId(attempt)).build();
    store.put(handle, new RoundChunk(id, attempt, event, now, Optional.empty(), Optional.empty()));
    outbox.add(handle, event, "rollout/" + event.getRolloutId(), now);
  }

  /**
   * Takes what reward has scored. A repeat, and an answer to somebody else's question, change
   * nothing; an answer to an earlier attempt is as good as one to the last.
   *
   * @return the tokens, if nobody will ever need them: to be deleted once the transaction is
   *     committed
   */
  public Optional<Artifact> accept(Handle handle, RolloutScored scored) {
    Optional<RoundChunk.Id> id = RoundChunk.Id.of(scored.getRolloutId());
    if (id.isEmpty()) {
      return Optional.empty();
    }
    Optional<RoundChunk> found = store.lock(handle, id.get());
    boolean kept =
        found.isPresent()
            && found
                .get()
                .scored()
                .map(before -> before.getTokens().equals(scored.getTokens()))
                .orElseGet(() -> take(handle, found.get(), scored));
    return kept || !scored.hasTokens() ? Optional.empty() : Optional.of(scored.getTokens());
  }

  /** Whether the answers are now those of the chunk. */
  private boolean take(Handle handle, RoundChunk chunk, RolloutScored scored) {
    Optional<Failure> refused =
        scored.hasFailure()
            ? Optional.of(scored.getFailure())
            : refusal(
                chunk,
                scored,
                store.versions(handle, chunk.id().job()),
                SpecRules.maxStaleness(jobs.find(handle, chunk.id().job()).orElseThrow().spec()));
    if (refused.isEmpty()) {
      store.keep(handle, chunk.id(), scored);
    } else if (scored.getRolloutId().equals(chunk.request().getRolloutId())) {
      LOG.infof("rollout refused rolloutId=%s: %s", scored.getRolloutId(), refused.get());
      store.fail(handle, chunk.id(), refused.get());
    }
    return refused.isEmpty();
  }

  /** Why answers are of no use; empty where they are. */
  private static Optional<Failure> refusal(
      RoundChunk chunk, RolloutScored scored, Map<Long, Integer> rounds, int maxStaleness) {
    if (scored.getGenerationsCount() != chunk.answers()
        || scored.getScoresCount() != chunk.answers()
        || !scored.hasTokens()) {
      return Optional.of(
          failure(
              ErrorCode.ERROR_CODE_INTERNAL,
              "Rollout %s asked for %d answers and came back with %d, %d scores and %s tokens."
                  .formatted(
                      scored.getRolloutId(),
                      chunk.answers(),
                      scored.getGenerationsCount(),
                      scored.getScoresCount(),
                      scored.hasTokens() ? "its" : "no")));
    }
    if (chunk.request().hasHeldOutRewardModel()
        && scored.getHeldOutScoresCount() != chunk.answers()) {
      return Optional.of(
          failure(
              ErrorCode.ERROR_CODE_UNAVAILABLE,
              "Rollout %s asked for %d held-out scores and came back with %d."
                  .formatted(
                      scored.getRolloutId(), chunk.answers(), scored.getHeldOutScoresCount())));
    }
    for (Generation generation : scored.getGenerationsList()) {
      Integer wrote = rounds.get(generation.getAdapter().getVersion());
      boolean ours =
          generation.getAdapter().getLine().equals(chunk.request().getAdapter().getLine());
      if (!ours || wrote == null || chunk.id().round() - wrote > maxStaleness) {
        return Optional.of(
            failure(
                ErrorCode.ERROR_CODE_UNAVAILABLE,
                "An answer of rollout %s is by version %d of %s, which is too old or not of this job."
                    .formatted(
                        scored.getRolloutId(),
                        generation.getAdapter().getVersion(),
                        generation.getAdapter().getLine())));
      }
    }
    return Optional.empty();
  }

  private static Failure failure(ErrorCode code, String message) {
    return Failure.newBuilder().setCode(code).setMessage(message).build();
  }

  /**
   * The answers of a round, once all are there. What failed in passing or does not come is asked
   * for again.
   *
   * @return empty while answers are missing
   * @throws PlatformException when a chunk failed for good, or nothing came for too long
   */
  public Optional<List<RolloutScored>> collect(Job learning, int round) {
    UUID job = learning.id();
    Optional<List<RolloutScored>> whole =
        transactions.inTenant(
            learning.tenant(),
            handle -> {
              List<RoundChunk> missing = store.missing(handle, job, round);
              missing.forEach(chunk -> askAgain(handle, chunk));
              return missing.isEmpty()
                  ? Optional.of(
                      store.chunks(handle, job, round).stream()
                          .map(chunk -> chunk.scored().orElseThrow())
                          .toList())
                  : Optional.<List<RolloutScored>>empty();
            });
    outbox.wake();
    return whole;
  }

  /**
   * Takes back answers that cannot be read: they count as a failure in passing, after which they
   * are asked for again.
   */
  public void lose(Tenant tenant, RolloutScored scored, PlatformException reason) {
    RoundChunk.Id id = RoundChunk.Id.of(scored.getRolloutId()).orElseThrow();
    LOG.warnf("rollout lost rolloutId=%s: %s", scored.getRolloutId(), reason.getMessage());
    transactions.useTenant(
        tenant,
        handle ->
            store
                .lock(handle, id)
                .filter(chunk -> chunk.scored().filter(scored::equals).isPresent())
                .ifPresent(
                    chunk ->
                        store.fail(
                            handle,
                            id,
                            failure(ErrorCode.ERROR_CODE_UNAVAILABLE, reason.getMessage()))));
  }

  /** Deletes what the rounds of jobs needed that learn no more. */
  public void deleteEnded() {
    for (Job job : transactions.acrossTenants("ended rounds", this::ended)) {
      // Nothing writes for it any more: the line is let go of wherever it is loaded.
      lines.retire(job.tenant(), SpecRules.rolloutLine(job.spec().getLine()), job.id());
      spent.delete(job.tenant(), job.id(), Integer.MAX_VALUE);
      outbox.wake();
    }
  }

  private List<Job> ended(Handle acrossTenants) {
    return store.ended(acrossTenants).stream()
        .flatMap(job -> jobs.find(acrossTenants, job).stream())
        .toList();
  }

  private void askAgain(Handle handle, RoundChunk seen) {
    Instant now = clock.instant();
    if (seen.failure().isPresent()) {
      Failure failure = seen.failure().get();
      if (!ErrorCodes.retryable(failure.getCode())) {
        throw new PlatformException(
            failure.getCode(),
            "Round %d got no answers: %s".formatted(seen.id().round(), failure.getMessage()));
      }
    }
    Instant due =
        seen.requestedTime()
            .plus(seen.failure().isPresent() ? config.retryDelay() : config.timeout());
    if (!now.isAfter(due)) {
      return;
    }
    if (seen.attempt() >= config.attempts()) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_UNAVAILABLE,
          "Round %d asked %d times for a chunk of answers (%s): see that serving and reward run, and that line %s has a released version."
              .formatted(
                  seen.id().round(),
                  seen.attempt(),
                  seen.failure().map(Failure::getMessage).orElse("none came"),
                  rewardLine));
    }
    // Answers may have come since it was read; the row decides.
    store
        .lock(handle, seen.id())
        .filter(chunk -> chunk.scored().isEmpty() && chunk.attempt() == seen.attempt())
        .ifPresent(
            chunk -> send(handle, chunk.id(), chunk.attempt() + 1, chunk.request().toBuilder()));
  }
}
