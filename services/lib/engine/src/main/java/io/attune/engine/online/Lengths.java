package io.attune.engine.online;

import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How long completions are. */
final class Lengths {
  static final String MEAN = "completions/mean_length";

  private Lengths() {}

  /** Under trl's names. */
  static Map<String, Double> of(List<Rollout> rollouts) {
    IntSummaryStatistics all =
        rollouts.stream().mapToInt(r -> r.completionIds().length).summaryStatistics();
    IntSummaryStatistics ended =
        rollouts.stream()
            .filter(Rollout::ended)
            .mapToInt(r -> r.completionIds().length)
            .summaryStatistics();
    Map<String, Double> metrics = new TreeMap<>();
    metrics.put(MEAN, all.getAverage());
    metrics.put("completions/min_length", (double) all.getMin());
    metrics.put("completions/max_length", (double) all.getMax());
    metrics.put("completions/clipped_ratio", 1 - (double) ended.getCount() / all.getCount());
    metrics.put("completions/mean_terminated_length", ended.getAverage());
    metrics.put("val/num_eos_tokens", (double) ended.getCount());
    return metrics;
  }
}
