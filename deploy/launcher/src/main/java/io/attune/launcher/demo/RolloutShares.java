package io.attune.launcher.demo;

import io.attune.training.v1.RolloutCompleted;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Which replica of serving wrote how many of the answers that a policy learnt from. */
final class RolloutShares {
  /** What a round's chunks are asked for, in RolloutRequested.purpose. */
  private static final String PURPOSE = "round";

  private final Set<String> seen = new HashSet<>();
  private final Map<String, Long> answers = new TreeMap<>();

  /** Counts a chunk; a repeat, and one that is not of a round, change nothing. */
  void add(RolloutCompleted completed) {
    if (completed.getPurpose().equals(PURPOSE)
        && !completed.hasFailure()
        && seen.add(completed.getRolloutId())) {
      answers.merge(completed.getReplica(), (long) completed.getGenerationsCount(), Long::sum);
    }
  }

  /** In a line for people; empty where nothing was written in rounds. */
  String line() {
    long all = answers.values().stream().mapToLong(Long::longValue).sum();
    return all == 0
        ? ""
        : String.format(
            Locale.ROOT,
            "Rollouts: %d answers, %s",
            all,
            answers.entrySet().stream()
                .map(one -> one.getValue() + " by " + one.getKey())
                .collect(Collectors.joining(", ")));
  }
}
