package io.attune.engine.fuzz;

import java.util.Map;
import java.util.TreeMap;

/**
 * How many files were accepted, and how many refused for which reason; the slowest by the clock and
 * on processors.
 */
final class Outcomes {
  private final Map<String, Integer> counts = new TreeMap<>();
  private long slowestWallMillis;
  private long slowestProcessorMillis;

  void add(Trial.Verdict verdict) {
    counts.merge(
        verdict.refusal() == null ? "accepted" : "refused " + verdict.refusal().reason(),
        1,
        Integer::sum);
    slowestWallMillis = Math.max(slowestWallMillis, verdict.time().wallMillis());
    slowestProcessorMillis = Math.max(slowestProcessorMillis, verdict.time().processorMillis());
  }

  int total() {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  int count(String outcome) {
    return counts.getOrDefault(outcome, 0);
  }

  @Override
  public String toString() {
    return "%s, slowest %d ms by the clock, %d ms on processors"
        .formatted(counts, slowestWallMillis, slowestProcessorMillis);
  }
}
