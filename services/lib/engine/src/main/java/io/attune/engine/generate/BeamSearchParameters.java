package io.attune.engine.generate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.Locale;

/**
 * How a beam search looks for likely texts; named as in transformers.
 *
 * @param numBeams texts that are followed at the same time
 * @param lengthPenalty a text's score is its log-probability divided by its number of tokens to
 *     this power: above 0 longer texts gain, below 0 shorter ones
 * @param numReturnSequences how many of the best texts are told
 */
public record BeamSearchParameters(
    int numBeams, double lengthPenalty, EarlyStopping earlyStopping, int numReturnSequences) {

  /** When a search ends that has found {@code numBeams} whole texts. */
  public enum EarlyStopping {
    /** At once. */
    TRUE,
    /** When no followed text would beat the worst of them if it ended now. */
    FALSE,
    /** When none could beat it at any length: the exact search. */
    NEVER;

    /** Reads {@code true}, {@code false} or {@code never}. */
    public static EarlyStopping of(String text) {
      for (EarlyStopping value : values()) {
        if (value.name().equals(text.toUpperCase(Locale.ROOT))) {
          return value;
        }
      }
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "early_stopping is '" + text + "'; it must be true, false or never");
    }
  }

  public BeamSearchParameters {
    if (numBeams < 1
        || !Double.isFinite(lengthPenalty)
        || numReturnSequences < 1
        || numReturnSequences > numBeams) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "a beam search needs num_beams >= 1, a finite length_penalty and 1 to num_beams"
              + " num_return_sequences; got %d, %s and %d"
                  .formatted(numBeams, lengthPenalty, numReturnSequences));
    }
  }

  /** The best of {@code numBeams} followed texts. */
  public static BeamSearchParameters of(int numBeams) {
    return new BeamSearchParameters(numBeams, 1, EarlyStopping.FALSE, 1);
  }
}
