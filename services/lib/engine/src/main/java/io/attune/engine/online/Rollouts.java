package io.attune.engine.online;

import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.tensor.Seed;
import java.util.ArrayList;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Has the policy write to prompts. What it writes follows from its weights and the seed. */
final class Rollouts {
  static final String MEAN_LENGTH = "completions/mean_length";

  private final OnlineSettings.Writing writing;
  private final Generation generation;
  private final long seed;

  Rollouts(OnlineSettings.Writing writing, Generation generation, long seed) {
    this.writing = writing;
    this.generation = generation;
    this.seed = seed;
  }

  /**
   * @param each completions of each prompt
   * @param purpose with {@code number} what makes chance differ from that of other calls
   * @return completions of the first prompt, then of the second, ...
   */
  List<Rollout> write(List<Prompt> prompts, int each, String purpose, int number) {
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

  /** How long completions are, under trl's names. */
  static Map<String, Double> lengths(List<Rollout> rollouts) {
    IntSummaryStatistics all =
        rollouts.stream().mapToInt(r -> r.completionIds().length).summaryStatistics();
    IntSummaryStatistics ended =
        rollouts.stream()
            .filter(Rollout::ended)
            .mapToInt(r -> r.completionIds().length)
            .summaryStatistics();
    Map<String, Double> metrics = new TreeMap<>();
    metrics.put(MEAN_LENGTH, all.getAverage());
    metrics.put("completions/min_length", (double) all.getMin());
    metrics.put("completions/max_length", (double) all.getMax());
    metrics.put("completions/clipped_ratio", 1 - (double) ended.getCount() / all.getCount());
    metrics.put("completions/mean_terminated_length", ended.getAverage());
    metrics.put("val/num_eos_tokens", (double) ended.getCount());
    return metrics;
  }
}
