package io.attune.training.dataset;

import io.attune.training.dataset.PromptRatings.Answer;
import io.attune.training.dataset.PromptRatings.Ballot;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Pairs of answers to one prompt, for DPO and Bradley-Terry.
 *
 * <p>What people said directly (a choice, a correction) comes first, by majority: as much weight
 * one way as the other makes no pair. Then come answers whose mean scores differ by the margin, the
 * widest difference first. Equal means make no pair, whatever the margin.
 */
final class PairRows {
  /** Means are sums of decimal fractions: 0.6 - 0.5 must reach a margin of 0.1. */
  private static final double ROUNDING = 1e-9;

  private PairRows() {}

  /**
   * Which pairs are made.
   *
   * @param minimumMargin least difference of two mean scores, 0 to 1
   * @param maximum at most this many pairs of a prompt
   * @param marginFactor a pair's margin is this times the difference of the mean scores; a pair
   *     that people chose directly has none
   */
  record Rule(double minimumMargin, int maximum, double marginFactor) {
    Rule(double minimumMargin, int maximum) {
      this(minimumMargin, maximum, 0);
    }
  }

  /** Makes the pairs of one prompt. */
  static List<Row.Pair> of(PromptRatings prompt, Rule rule) {
    List<Row.Pair> pairs = new ArrayList<>();
    Set<List<String>> settled = new HashSet<>();
    for (Ballot ballot : byMajority(prompt)) {
      settled.add(List.of(ballot.first(), ballot.second()));
      settled.add(List.of(ballot.second(), ballot.first()));
      double net = ballot.net();
      if (Math.abs(net) > ROUNDING && pairs.size() < rule.maximum()) {
        pairs.add(
            new Row.Pair(
                prompt.prompt(),
                net > 0 ? ballot.first() : ballot.second(),
                net > 0 ? ballot.second() : ballot.first(),
                0,
                RowWeights.of(prompt, Math.abs(net)),
                List.copyOf(ballot.ids())));
      }
    }
    addScored(prompt, rule, settled, pairs);
    return pairs;
  }

  private static List<Ballot> byMajority(PromptRatings prompt) {
    return prompt.ballots().stream()
        .filter(Ballot::settled)
        .sorted(Comparator.comparingDouble((Ballot ballot) -> -Math.abs(ballot.net())))
        .toList();
  }

  /** An answer with its mean score. */
  private record Rated(Answer answer, double mean) {}

  /** Two places in the list of answers ordered by mean, and the difference of the means. */
  private record Gap(int low, int high, double width) {}

  /**
   * Takes the widest gaps one by one from a heap. All pairs of a prompt are never enumerated: an
   * imported data set may hold a hundred thousand texts under one empty prompt.
   */
  private static void addScored(
      PromptRatings prompt, Rule rule, Set<List<String>> settled, List<Row.Pair> pairs) {
    List<Rated> ordered = new ArrayList<>();
    for (Answer answer : prompt.answers()) {
      answer.mean().ifPresent(mean -> ordered.add(new Rated(answer, mean)));
    }
    ordered.sort(
        Comparator.comparingDouble(Rated::mean).thenComparing(rated -> rated.answer().text()));
    double[] means = ordered.stream().mapToDouble(Rated::mean).toArray();
    PriorityQueue<Gap> widest =
        new PriorityQueue<>(
            Comparator.comparingDouble(Gap::width)
                .reversed()
                .thenComparing(Gap::low)
                .thenComparing(Gap::high, Comparator.reverseOrder()));
    // Row i of the heap walks from the best answer down; the next row opens when this one is used.
    offer(widest, means, 0, means.length - 1);
    while (pairs.size() < rule.maximum() && !widest.isEmpty()) {
      Gap gap = widest.poll();
      if (gap.width() <= ROUNDING || gap.width() < rule.minimumMargin() - ROUNDING) {
        return;
      }
      offer(widest, means, gap.low(), gap.high() - 1);
      if (gap.high() == means.length - 1) {
        offer(widest, means, gap.low() + 1, gap.high());
      }
      Answer better = ordered.get(gap.high()).answer();
      Answer worse = ordered.get(gap.low()).answer();
      if (!settled.contains(List.of(better.text(), worse.text()))) {
        List<String> ids = new ArrayList<>(better.scoreIds());
        ids.addAll(worse.scoreIds());
        pairs.add(
            new Row.Pair(
                prompt.prompt(),
                better.text(),
                worse.text(),
                rule.marginFactor() * gap.width(),
                RowWeights.of(prompt, RowWeights.ofDifference(better.weight(), worse.weight())),
                ids));
      }
    }
  }

  private static void offer(PriorityQueue<Gap> widest, double[] means, int low, int high) {
    if (low < high) {
      widest.add(new Gap(low, high, means[high] - means[low]));
    }
  }
}
