package io.attune.launcher.command;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.SequenceToSequence;
import io.attune.engine.generate.BeamSearchParameters;
import io.attune.engine.generate.BeamSearchParameters.EarlyStopping;
import io.attune.engine.generate.GenerationDefaults;
import io.attune.engine.generate.TokenConstraints;
import picocli.CommandLine.Option;

/**
 * How an encoder-decoder looks for its answer; what is not given is as the model's {@code
 * generation_config.json} says.
 */
final class SearchOptions {
  @Option(
      names = "--num-beams",
      paramLabel = "N",
      description =
          "Encoder-decoders: follow the N likeliest texts; 1 for none but the one that is written."
              + " This and the next: as generation_config.json says if not given.")
  private Integer numBeams;

  @Option(
      names = "--length-penalty",
      paramLabel = "P",
      description = "Divide a text's log-probability by its length to this power.")
  private Double lengthPenalty;

  @Option(
      names = "--early-stopping",
      paramLabel = "true|false|never",
      description = "When to end a search that has N whole texts.")
  private String earlyStopping;

  @Option(
      names = "--num-return-sequences",
      paramLabel = "N",
      description = "Print the N best texts, each after its score. Default: ${DEFAULT-VALUE}.")
  private int numReturnSequences = 1;

  @Option(
      names = "--no-repeat-ngram-size",
      paramLabel = "N",
      description = "Never write the same N tokens in a row twice; 0 allows it.")
  private Integer noRepeatNgramSize;

  @Option(
      names = "--min-length",
      paramLabel = "N",
      description = "Do not end before N tokens, the decoder's start token included.")
  private Integer minLength;

  /** Refuses what a model without an encoder cannot do. */
  void requireUnused() {
    if (numBeams != null
        || lengthPenalty != null
        || earlyStopping != null
        || numReturnSequences != 1
        || noRepeatNgramSize != null
        || minLength != null) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "--num-beams, --length-penalty, --early-stopping, --num-return-sequences,"
              + " --no-repeat-ngram-size and --min-length are for encoder-decoder models");
    }
  }

  /**
   * @param greedy whether the likeliest token is asked for, so that there is no search by default
   */
  BeamSearchParameters parameters(GenerationDefaults defaults, boolean greedy) {
    BeamSearchParameters own = defaults.search();
    int beams = greedy ? 1 : own.numBeams();
    return new BeamSearchParameters(
        numBeams == null ? beams : numBeams,
        lengthPenalty == null ? own.lengthPenalty() : lengthPenalty,
        earlyStopping == null ? own.earlyStopping() : EarlyStopping.of(earlyStopping),
        numReturnSequences);
  }

  TokenConstraints constraints(SequenceToSequence model, int maxNewTokens) {
    GenerationDefaults own = model.generationDefaults();
    return model.constraints(
        maxNewTokens,
        minLength == null ? own.minLength() : minLength,
        noRepeatNgramSize == null ? own.noRepeatNgramSize() : noRepeatNgramSize);
  }
}
