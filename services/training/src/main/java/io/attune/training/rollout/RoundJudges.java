package io.attune.training.rollout;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.job.Job;
import io.attune.training.job.SpecRules;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.RolloutRequested;
import java.util.Optional;
import org.jdbi.v3.core.Handle;

/**
 * The reward models that score a round, the same in every chunk and every attempt.
 *
 * @param reward what is learnt from; empty while none is released
 * @param heldOut what only measures; empty where the job names none
 */
record RoundJudges(Optional<Adapter> reward, Optional<Adapter> heldOut) {

  /**
   * Those that were noted for the round before; else those that are released now, unless the job
   * holds on to the reward model of its first round. Notes them.
   *
   * @throws PlatformException CONFLICT when the held-out line has none
   */
  static RoundJudges choose(
      Handle handle, Job job, int round, String rewardLine, RoundStore store, AdapterLines lines) {
    RoundStore.Judged noted = store.judged(handle, job.id(), round);
    Optional<Long> pinned =
        SpecRules.refreshesReward(job.spec())
            ? Optional.empty()
            : store.firstRewardVersion(handle, job.id());
    Optional<Adapter> reward =
        noted
            .reward()
            .or(() -> pinned)
            .flatMap(version -> lines.find(handle, rewardLine, version))
            .or(() -> lines.active(handle, rewardLine));
    String line = job.spec().getRollouts().getHeldOutRewardLine();
    Optional<Adapter> heldOut =
        line.isEmpty()
            ? Optional.empty()
            : noted
                .heldOut()
                .flatMap(version -> lines.find(handle, line, version))
                .or(() -> lines.active(handle, line));
    if (!line.isEmpty() && heldOut.isEmpty()) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_CONFLICT,
          "No version of line %s is released, which the job names as spec.rollouts.held_out_reward_line: train it first, on another part of the ratings (spec.ratings.fold)."
              .formatted(line));
    }
    store.judge(handle, job.id(), round, version(reward), version(heldOut));
    return new RoundJudges(reward, heldOut);
  }

  private static Optional<Long> version(Optional<Adapter> adapter) {
    return adapter.map(found -> found.getVersion().getVersion());
  }

  /** Names them in a request. */
  void into(RolloutRequested.Builder request) {
    reward.ifPresent(request::setRewardModel);
    heldOut.ifPresent(request::setHeldOutRewardModel);
  }
}
