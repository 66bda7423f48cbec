package io.attune.training.worker;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/** What a worker tells its parent on standard output, one JSON object a line. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "event")
@JsonSubTypes({
  @JsonSubTypes.Type(value = WorkerMessage.Began.class, name = "began"),
  @JsonSubTypes.Type(value = WorkerMessage.Progressed.class, name = "progressed"),
  @JsonSubTypes.Type(value = WorkerMessage.Failed.class, name = "failed")
})
public sealed interface WorkerMessage {
  /**
   * The worker goes on to its next phase.
   *
   * @param phase "prepare", "train", "examine" or "save"
   */
  record Began(String phase) implements WorkerMessage {}

  /**
   * A step is done.
   *
   * @param step optimizer steps done
   * @param totalSteps optimizer steps in all
   * @param loss the step's loss
   * @param remainingMillis expected time to the end of training; -1 while unknown
   */
  record Progressed(long step, long totalSteps, double loss, long remainingMillis)
      implements WorkerMessage {}

  /**
   * The job cannot be done; the worker ends.
   *
   * @param code a name of io.attune.common.v1.ErrorCode
   * @param message what is wrong, where, and what to do about it
   */
  record Failed(String code, String message) implements WorkerMessage {}
}
