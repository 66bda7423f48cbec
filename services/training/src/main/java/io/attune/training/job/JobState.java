package io.attune.training.job;

import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Artifact;
import io.attune.common.v1.Failure;
import io.attune.training.v1.GateDecision;
import io.attune.training.v1.Progress;
import java.util.Optional;

/**
 * The states of a job. A state has methods for the transitions that are legal from it and for no
 * others, so that an illegal one does not compile.
 *
 * <pre>
 * Queued -> Training -> Evaluating -> Released | Refused
 *    \__________\____________\_____-> Failed | Cancelled
 * </pre>
 */
public sealed interface JobState {
  /** What the job has reached so far. */
  Work work();

  /**
   * What a job gathers on its way; kept in the final states too.
   *
   * @param snapshot what it trains on, once it has started
   * @param parentVersion the version of the line that training starts from; 0 is the base model
   * @param progress how far training is
   * @param candidate what it made, once training has ended
   */
  record Work(
      Optional<Artifact> snapshot,
      long parentVersion,
      Progress progress,
      Optional<AdapterVersion> candidate) {
    static final Work NONE =
        new Work(Optional.empty(), 0, Progress.getDefaultInstance(), Optional.empty());
  }

  /** Why the job ended as it did, in a sentence; empty where there is nothing to say. */
  default String reason() {
    return "";
  }

  /** States that a job can still leave. */
  sealed interface Open extends JobState {
    /** It could not be done. */
    default Failed fail(Failure failure) {
      return new Failed(work(), failure);
    }

    /** Somebody cancelled it. */
    default Cancelled cancel() {
      return new Cancelled(work());
    }
  }

  /** States that a job never leaves. */
  sealed interface Final extends JobState {}

  /** Waits for a place, or for the job that it depends on. */
  record Queued() implements Open {
    @Override
    public Work work() {
      return Work.NONE;
    }

    /** Its snapshot is cut and its process can begin. */
    public Training start(Artifact snapshot, long parentVersion) {
      return new Training(
          new Work(
              Optional.of(snapshot),
              parentVersion,
              Progress.getDefaultInstance(),
              Optional.empty()));
    }
  }

  /** Its process trains. */
  record Training(Work work) implements Open {
    /** Some more steps are done. */
    public Training advance(Progress progress) {
      return new Training(
          new Work(work.snapshot(), work.parentVersion(), progress, work.candidate()));
    }

    /** Training has ended and its result is registered. */
    public Evaluating submit(AdapterVersion candidate) {
      return new Evaluating(
          new Work(work.snapshot(), work.parentVersion(), work.progress(), Optional.of(candidate)));
    }
  }

  /** The candidate stands at the gate. */
  record Evaluating(Work work) implements Open {
    /** The candidate became the active version. */
    public Released release(GateDecision decision) {
      return new Released(work, decision);
    }

    /** The candidate did not beat the active version. */
    public Refused refuse(GateDecision decision) {
      return new Refused(work, decision);
    }
  }

  /** The candidate is or was the line's active version. */
  record Released(Work work, GateDecision decision) implements Final {}

  /** The candidate stays unserved. */
  record Refused(Work work, GateDecision decision) implements Final {
    @Override
    public String reason() {
      return decision.getReason();
    }
  }

  /** It could not be done. */
  record Failed(Work work, Failure failure) implements Final {
    @Override
    public String reason() {
      return failure.getMessage();
    }
  }

  /** Somebody cancelled it. */
  record Cancelled(Work work) implements Final {
    @Override
    public String reason() {
      return "It was cancelled.";
    }
  }
}
