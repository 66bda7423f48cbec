package io.attune.training.job;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.TrainingSpec;
import java.time.Instant;
import java.util.UUID;

/**
 * A training job.
 *
 * @param tenant whose job it is
 * @param id sorts by time of creation
 * @param createdBy a token's subject, or "trigger:count", "trigger:time"
 * @param revision counts the changes, progress included, from 1
 */
public record Job(
    Tenant tenant,
    UUID id,
    TrainingSpec spec,
    JobState state,
    String createdBy,
    Instant createTime,
    Instant updateTime,
    long revision) {

  /** The job in its next state. */
  public Job in(JobState next, Instant now) {
    return new Job(tenant, id, spec, next, createdBy, createTime, now, revision + 1);
  }

  /** Whether the job never changes again. */
  public boolean isFinal() {
    return state instanceof JobState.Final;
  }

  /**
   * The state, if it is the one that a transition starts from.
   *
   * @throws PlatformException CONFLICT, naming both states, if it is another
   */
  public <S extends JobState> S require(Class<S> expected) {
    if (!expected.isInstance(state)) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_CONFLICT,
          "Job %s is %s, not %s: somebody changed it in between."
              .formatted(id, name(state.getClass()), name(expected)));
    }
    return expected.cast(state);
  }

  private static String name(Class<?> state) {
    return state.getSimpleName().toUpperCase(java.util.Locale.ROOT);
  }
}
