package io.attune.training.job;

import com.google.protobuf.Timestamp;
import io.attune.platform.identity.Tenant;
import io.attune.training.Messages;
import io.attune.training.v1.TrainingJob;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/** A job as the message that callers, readers of events and the database see, and back. */
public final class JobMessages {
  private JobMessages() {}

  /** The message. */
  public static TrainingJob toMessage(Job job) {
    TrainingJob.Builder message =
        TrainingJob.newBuilder()
            .setId(job.id().toString())
            .setSpec(job.spec())
            .setState(state(job.state()))
            .setProgress(job.state().work().progress())
            .setCreatedBy(job.createdBy())
            .setCreateTime(Messages.timestamp(job.createTime()))
            .setUpdateTime(Messages.timestamp(job.updateTime()));
    job.state().work().snapshot().ifPresent(message::setSnapshot);
    job.state().work().candidate().ifPresent(message::setCandidate);
    if (job.state() instanceof JobState.Released released) {
      message.setDecision(released.decision());
    } else if (job.state() instanceof JobState.Refused refused) {
      message.setDecision(refused.decision());
    } else if (job.state() instanceof JobState.Failed failed) {
      message.setFailure(failed.failure());
    }
    return message.build();
  }

  /** The job; the message does not hold whose it is, and the last two. */
  public static Job fromMessage(
      Tenant tenant, TrainingJob message, long parentVersion, long revision) {
    JobState.Work work =
        new JobState.Work(
            message.hasSnapshot() ? Optional.of(message.getSnapshot()) : Optional.empty(),
            parentVersion,
            message.getProgress(),
            message.hasCandidate() ? Optional.of(message.getCandidate()) : Optional.empty());
    JobState state =
        switch (message.getState()) {
          case STATE_QUEUED -> new JobState.Queued();
          case STATE_TRAINING -> new JobState.Training(work);
          case STATE_EVALUATING -> new JobState.Evaluating(work);
          case STATE_RELEASED -> new JobState.Released(work, message.getDecision());
          case STATE_REFUSED -> new JobState.Refused(work, message.getDecision());
          case STATE_FAILED -> new JobState.Failed(work, message.getFailure());
          case STATE_CANCELLED -> new JobState.Cancelled(work);
          case STATE_UNSPECIFIED, UNRECOGNIZED ->
              throw new IllegalStateException("job " + message.getId() + " has no state");
        };
    return new Job(
        tenant,
        UUID.fromString(message.getId()),
        message.getSpec(),
        state,
        message.getCreatedBy(),
        instant(message.getCreateTime()),
        instant(message.getUpdateTime()),
        revision);
  }

  /** The name that a state has in the contract. */
  public static TrainingJob.State state(JobState state) {
    if (state instanceof JobState.Queued) {
      return TrainingJob.State.STATE_QUEUED;
    } else if (state instanceof JobState.Training) {
      return TrainingJob.State.STATE_TRAINING;
    } else if (state instanceof JobState.Evaluating) {
      return TrainingJob.State.STATE_EVALUATING;
    } else if (state instanceof JobState.Released) {
      return TrainingJob.State.STATE_RELEASED;
    } else if (state instanceof JobState.Refused) {
      return TrainingJob.State.STATE_REFUSED;
    } else if (state instanceof JobState.Failed) {
      return TrainingJob.State.STATE_FAILED;
    }
    return TrainingJob.State.STATE_CANCELLED;
  }

  private static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }
}
