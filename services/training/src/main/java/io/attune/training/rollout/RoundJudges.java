package io.attune.training.rollout;

import io.attune.training.v1.Adapter;
import io.attune.training.v1.RolloutRequested;
import java.util.Optional;

/**
 * The reward models that score a round, the same in every chunk and every attempt.
 *
 * @param reward what is learnt from; empty while none is released
 * @param heldOut what only measures; empty where the job names none
 */
record RoundJudges(Optional<Adapter> reward, Optional<Adapter> heldOut) {

  /** Names them in a request. */
  void into(RolloutRequested.Builder request) {
    reward.ifPresent(request::setRewardModel);
    heldOut.ifPresent(request::setHeldOutRewardModel);
  }
}
