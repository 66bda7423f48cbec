package io.attune.engine.fuzz;

import io.attune.engine.EngineException;
import java.util.Map;
import java.util.TreeMap;

/** How many files were accepted, and how many refused for which reason. */
final class Outcomes {
  private final Map<String, Integer> counts = new TreeMap<>();
  private long slowestNanos;

  void accepted() {
    counts.merge("accepted", 1, Integer::sum);
  }

  void refused(EngineException e) {
    requireReadable(e);
    counts.merge("refused " + e.reason(), 1, Integer::sum);
  }

  void took(long nanos) {
    slowestNanos = Math.max(slowestNanos, nanos);
  }

  /** A refusal must say something, and not all that the file says. */
  static void requireReadable(EngineException e) {
    if (e.getMessage().isBlank() || e.getMessage().length() > 2000) {
      throw new AssertionError("unreadable message: " + e.getMessage(), e);
    }
  }

  int total() {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  int count(String outcome) {
    return counts.getOrDefault(outcome, 0);
  }

  @Override
  public String toString() {
    return counts + ", slowest " + slowestNanos / 1_000_000 + " ms";
  }
}
