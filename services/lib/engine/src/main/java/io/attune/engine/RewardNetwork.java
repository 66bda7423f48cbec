package io.attune.engine;

import io.attune.engine.objective.Sequence;
import java.util.List;

/** How a kind of model gives the logits of a reward model. */
interface RewardNetwork extends AutoCloseable {

  /** How it reads answers. */
  RewardRows rows();

  /** The logits of each sequence, read in one batch. */
  List<double[]> logits(List<Sequence> sequences);

  /** How many logits there are of each. */
  int outputs();

  /** Whether it reads token ids that were made elsewhere. */
  boolean readsTokens();

  @Override
  void close();
}
