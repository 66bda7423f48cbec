package io.attune.engine.objective;

import io.attune.engine.data.PreferencePair;

/**
 * Two answers as a reward model reads them, one preferred.
 *
 * @param margin by how much the chosen one is better, in the unit of a reward; 0 if not known
 */
public record RewardPair(Sequence chosen, Sequence rejected, double margin) {

  /** As a decoder reads them: each prompt and answer in one. */
  public static RewardPair of(PreferencePair pair) {
    return new RewardPair(
        Sequence.of(pair.promptIds(), pair.chosenIds()),
        Sequence.of(pair.promptIds(), pair.rejectedIds()),
        pair.margin());
  }
}
