package io.attune.engine.objective;

/** An objective whose model scores sequences. */
public interface RewardObjective<E> extends Objective<E> {

  @Override
  default Readout readout() {
    return Readout.LOGITS;
  }

  @Override
  default boolean usesReference() {
    return false;
  }

  /** The score that a reading of a sequence stands for; higher is better. */
  default double score(Reading reading) {
    return reading.values()[0];
  }
}
