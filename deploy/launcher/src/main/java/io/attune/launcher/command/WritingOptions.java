package io.attune.launcher.command;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.SequenceToSequence;
import io.attune.engine.generate.BeamSearchParameters;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.generate.TokenConstraints;
import io.attune.engine.tensor.Seed;
import io.attune.launcher.evaluate.WritingSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How answers are written that are measured; greedily where nothing is said. */
final class WritingOptions implements WritingSettings {
  @Option(names = "--max-new-tokens", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
  private int maxNewTokens = 128;

  @Option(
      names = "--temperature",
      description = "Draw answers at this temperature; 0 (default) takes the likeliest token.")
  private double temperature;

  @Option(names = "--top-k", description = "Keep the k likeliest tokens; 0 (default) keeps all.")
  private int topK;

  @Option(names = "--top-p", description = "Keep the likeliest tokens that reach p. Default: 1.")
  private double topP = 1;

  @Option(
      names = "--seed",
      description = "Of drawn answers and of the bootstrap. Default: ${DEFAULT-VALUE}.")
  private long seed = 42;

  @Option(names = "--stop", paramLabel = "TEXT", description = "Ends an answer; may be repeated.")
  private List<String> stop = new ArrayList<>();

  @Mixin private SearchOptions search;

  long seed() {
    return seed;
  }

  int maxNewTokens() {
    return maxNewTokens;
  }

  /** For what is always drawn: 1 unless said otherwise. */
  double drawnTemperature() {
    return temperature == 0 ? 1 : temperature;
  }

  /** Refuses what would draw from another distribution than the model's. */
  void requireWholeDistribution() {
    if (topK != 0 || topP != 1 || !stop.isEmpty()) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "--task policy draws from the whole distribution: it knows no --top-k, --top-p or"
              + " --stop");
    }
  }

  @Override
  public SamplingParameters sampling(int row) {
    return SamplingParameters.builder()
        .temperature(temperature)
        .topK(topK)
        .topP(topP)
        .maxNewTokens(maxNewTokens)
        .stop(stop)
        .seed(OptionalLong.of(Seed.derive(seed, row)))
        .build();
  }

  @Override
  public BeamSearchParameters search(SequenceToSequence model) {
    return search.parameters(model.generationDefaults(), true);
  }

  @Override
  public TokenConstraints constraints(SequenceToSequence model) {
    return search.constraints(model, maxNewTokens);
  }

  @Override
  public boolean samples() {
    return temperature > 0;
  }

  @Override
  public void requireNoSearch() {
    search.requireUnused();
  }
}
