package io.attune.engine.objective;

import io.attune.engine.data.PreferencePair;
import java.util.List;

/**
 * A loss of the log-probabilities of a pair's two answers; each pair counts 1.
 *
 * <p>Assumes that both answers follow the same prompt tokens.
 */
interface PairObjective extends Objective<PreferencePair> {

  @Override
  default Readout readout() {
    return Readout.LOG_PROBS;
  }

  /** Prompt and chosen answer, prompt and rejected answer. */
  @Override
  default List<Sequence> sequences(PreferencePair pair) {
    return List.of(
        Sequence.of(pair.promptIds(), pair.chosenIds()),
        Sequence.of(pair.promptIds(), pair.rejectedIds()));
  }

  @Override
  default double weight(PreferencePair pair) {
    return 1;
  }
}
