package io.attune.engine.online;

import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.tensor.Seed;
import java.util.ArrayList;
import java.util.List;

/** Writes in this process. What is written follows from the policy's weights and the seed. */
public final class LocalRollouts implements RolloutSource {
  private final OnlineSettings.Writing writing;
  private final Generation generation;
  private final long seed;

  public LocalRollouts(OnlineSettings.Writing writing, Generation generation, long seed) {
    this.writing = writing;
    this.generation = generation;
    this.seed = seed;
  }

  @Override
  public List<Rollout> write(List<Prompt> prompts, int each, String purpose, int number) {
    long own = Seed.derive(Seed.derive(seed, purpose.hashCode()), number);
    // The distribution that is learnt: nothing may be cut off it.
    SamplingParameters sampling =
        SamplingParameters.builder()
            .temperature(writing.temperature())
            .maxNewTokens(writing.maxCompletionLength())
            .build();
    List<int[]> completions =
        generation
            .decoders()
            .with(
                decoder ->
                    new RolloutWriter(
                            decoder,
                            generation.virtualTokens(),
                            generation.endings(),
                            sampling,
                            writing.slots())
                        .write(
                            prompts.stream().map(Prompt::ids).toList(),
                            each,
                            i -> Seed.derive(own, i)));
    List<Rollout> rollouts = new ArrayList<>();
    for (int i = 0; i < completions.size(); i++) {
      int[] ids = completions.get(i);
      rollouts.add(
          new Rollout(
              prompts.get(i / each),
              ids,
              generation.text().apply(ids),
              generation.endings().contains(ids[ids.length - 1])));
    }
    return rollouts;
  }
}
