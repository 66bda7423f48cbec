package io.attune.launcher.evaluate;

import io.attune.engine.SequenceToSequence;
import io.attune.engine.generate.BeamSearchParameters;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.generate.TokenConstraints;

/** How answers are written. */
public interface WritingSettings {
  /**
   * How tokens are chosen where nothing is searched for.
   *
   * @param row counted from 0; each has draws of its own
   */
  SamplingParameters sampling(int row);

  /** How an encoder-decoder searches; one beam takes the likeliest token, or draws. */
  BeamSearchParameters search(SequenceToSequence model);

  /** What an encoder-decoder's texts must and must not hold. */
  TokenConstraints constraints(SequenceToSequence model);

  /** Whether tokens are drawn. */
  boolean samples();

  /** Refuses settings of a search, which a decoder-only model has not. */
  void requireNoSearch();
}
