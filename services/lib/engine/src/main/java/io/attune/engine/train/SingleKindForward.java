package io.attune.engine.train;

import ai.djl.ndarray.NDManager;
import io.attune.engine.objective.Objective.Readout;
import io.attune.engine.objective.Sequence;
import java.util.List;

/**
 * A kind of model that reads one kind of sequence, for one readout, and keeps what its layers
 * computed.
 */
abstract class SingleKindForward<S extends Sequence> implements Forward {
  private final Class<S> kind;
  private final Readout readout;
  private final String others;

  /**
   * @param others what a model that is asked for anything else cannot do
   */
  SingleKindForward(Class<S> kind, Readout readout, String others) {
    this.kind = kind;
    this.readout = readout;
    this.others = others;
  }

  @Override
  public final Result read(
      NDManager scope, List<Sequence> sequences, Readout asked, boolean checkpointed) {
    if (checkpointed) {
      throw Forward.unfit(model(), "compute its layers again on the way back");
    }
    if (asked != readout || !sequences.stream().allMatch(kind::isInstance)) {
      throw Forward.unfit(model(), others);
    }
    return read(scope, sequences.stream().map(kind::cast).toList());
  }

  /** Reads sequences; recorded where the thread's grad mode is on. */
  abstract Result read(NDManager scope, List<S> sequences);
}
