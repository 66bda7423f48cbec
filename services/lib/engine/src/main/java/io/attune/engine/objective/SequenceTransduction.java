package io.attune.engine.objective;

import io.attune.engine.data.SourceAndTarget;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Supervised fine-tuning of an encoder-decoder: make the tokens of the right target likely, given
 * its source. The loss is that of {@link Sft}, over the tokens of the targets.
 */
public final class SequenceTransduction implements Objective<SourceAndTarget> {
  private final Sft.Config config;

  public SequenceTransduction(Sft.Config config) {
    this.config = config;
  }

  @Override
  public Readout readout() {
    return Readout.LOG_PROBS;
  }

  @Override
  public boolean usesReference() {
    return false;
  }

  @Override
  public double labelSmoothing() {
    return config.labelSmoothing();
  }

  @Override
  public List<Sequence> sequences(SourceAndTarget example) {
    return List.of(new Sequence.Transduced(example.sourceIds(), example.targetIds()));
  }

  @Override
  public double weight(SourceAndTarget example) {
    return example.targetIds().length;
  }

  @Override
  public Loss loss(
      List<SourceAndTarget> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    return Sft.negativeLogLikelihood(policy, normaliser);
  }
}
