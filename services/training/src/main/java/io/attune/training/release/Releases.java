package io.attune.training.release;

import io.attune.common.v1.AdapterVersion;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.Spans;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.adapter.Lineage;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.v1.GateDecision;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.Handle;

/** Brings candidates to the gate and does what it decides. */
@ApplicationScoped
public class Releases {
  private final TenantTransactions transactions;
  private final Jobs jobs;
  private final AdapterLines lines;
  private final Lineage lineage;
  private final RewardGate rewardGate;
  private final PolicyGate policyGate;
  private final LiveRatings liveRatings;

  @Inject
  public Releases(
      TenantTransactions transactions,
      Jobs jobs,
      AdapterLines lines,
      Lineage lineage,
      RewardGate rewardGate,
      PolicyGate policyGate,
      LiveRatings liveRatings) {
    this.transactions = transactions;
    this.jobs = jobs;
    this.lines = lines;
    this.lineage = lineage;
    this.rewardGate = rewardGate;
    this.policyGate = policyGate;
    this.liveRatings = liveRatings;
  }

  /**
   * Refuses to start a job that nothing could judge in the end.
   *
   * @throws PlatformException CONFLICT, saying why there is no reward model
   */
  public void requireJudge(Job job) {
    String after = job.spec().getAfterJobId();
    if (after.isEmpty() || job.spec().hasReward()) {
      return;
    }
    Job before = jobs.get(job.tenant(), after);
    if (before.spec().hasReward() && !(before.state() instanceof JobState.Released)) {
      transactions.useTenant(job.tenant(), handle -> policyGate.requireRewardModel(handle, before));
    }
  }

  /** Registers what a job made as a candidate; nothing happens to a job that was cancelled. */
  public void submit(Tenant tenant, UUID id, Submission made) {
    jobs.change(
        tenant,
        id,
        (handle, job) -> {
          if (!(job.state() instanceof JobState.Training training)) {
            return job.state();
          }
          AdapterVersion candidate =
              lines.register(
                  handle,
                  id,
                  job.spec().getLine(),
                  made.artifact(),
                  made.contractSha256(),
                  training.work().parentVersion());
          lineage.record(handle, id, made.ratingIds().stream());
          if (made.exam().isPresent()) {
            rewardGate.open(handle, id, made.exam().get());
          } else {
            policyGate.open(handle, job, candidate, made.prompts());
          }
          return training.submit(candidate);
        });
  }

  /** Looks whether a candidate's comparison is complete, and ends its job if so. */
  public void examine(Job examined) {
    try {
      jobs.change(
          examined.tenant(),
          examined.id(),
          (handle, job) ->
              job.state() instanceof JobState.Evaluating evaluating
                  ? examine(handle, job, evaluating)
                  : job.state());
    } catch (PlatformException e) {
      jobs.fail(examined, e);
    }
  }

  private JobState examine(Handle handle, Job job, JobState.Evaluating evaluating) {
    Optional<GateDecision> decision =
        job.spec().hasReward()
            ? Optional.of(rewardGate.decide(handle, job))
            : policyGate.decide(handle, job);
    if (decision.isEmpty()) {
      return evaluating;
    }
    AdapterVersion candidate = evaluating.work().candidate().orElseThrow();
    Span span =
        Spans.of("gate", Context.current())
            .setAttribute("attune.job.id", job.id().toString())
            .setAttribute("attune.line", candidate.getLine())
            .setAttribute("attune.version", candidate.getVersion())
            .setAttribute("attune.gate.released", decision.get().getReleased())
            .setAttribute("attune.gate.difference", decision.get().getDifference())
            .startSpan();
    return Spans.call(span, () -> settle(handle, job, evaluating, candidate, decision.get()));
  }

  private JobState settle(
      Handle handle,
      Job job,
      JobState.Evaluating evaluating,
      AdapterVersion candidate,
      GateDecision decision) {
    if (!decision.getReleased()) {
      lines.refuse(handle, candidate);
      return evaluating.refuse(decision);
    }
    long previous = decision.getActive().getVersion();
    lines.release(handle, candidate, previous);
    if (!job.spec().hasReward()) {
      liveRatings.watch(job.tenant(), handle, candidate, previous);
    }
    return evaluating.release(decision);
  }
}
