package io.attune.training.dataset;

import io.attune.training.dataset.PromptRatings.Answer;
import io.attune.training.dataset.PromptRatings.Preference;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Pairs of answers to one prompt, for DPO and Bradley-Terry.
 *
 * <p>What people said directly (a choice, a correction) comes first, by majority: as many votes one
 * way as the other make no pair. Then come answers whose mean scores differ by the margin, the
 * widest difference first. Equal means make no pair, whatever the margin.
 */
final class PairRows {
  /** Means are sums of decimal fractions: 0.6 - 0.5 must reach a margin of 0.1. */
  private static final double ROUNDING = 1e-9;

  private PairRows() {}

  /**
   * Makes the pairs of one prompt.
   *
   * @param minimumMargin least difference of two mean scores, 0 to 1
   * @param maximum at most this many pairs
   */
  static List<Row.Pair> of(PromptRatings prompt, double minimumMargin, int maximum) {
    List<Row.Pair> pairs = new ArrayList<>();
    Set<Preference> settled = new HashSet<>();
    for (Preference preference : byMajority(prompt)) {
      Preference reverse = preference.reversed();
      settled.add(preference);
      settled.add(reverse);
      if (net(prompt, preference) > 0 && pairs.size() < maximum) {
        List<String> ids = new ArrayList<>(prompt.votes().get(preference));
        ids.addAll(prompt.votes().getOrDefault(reverse, List.of()));
        pairs.add(new Row.Pair(prompt.prompt(), preference.better(), preference.worse(), ids));
      }
    }
    addScored(prompt, minimumMargin, maximum, settled, pairs);
    return pairs;
  }

  private static List<Preference> byMajority(PromptRatings prompt) {
    Map<Preference, Integer> margins = new LinkedHashMap<>();
    prompt.votes().keySet().forEach(p -> margins.put(p, net(prompt, p)));
    List<Preference> ordered = new ArrayList<>(margins.keySet());
    // A stable sort: equal majorities keep the order in which the votes first appear.
    ordered.sort(Comparator.comparing((Preference p) -> margins.get(p)).reversed());
    return ordered;
  }

  private static int net(PromptRatings prompt, Preference preference) {
    return prompt.votes().get(preference).size()
        - prompt.votes().getOrDefault(preference.reversed(), List.of()).size();
  }

  /** Two places in the list of answers ordered by mean, and the difference of the means. */
  private record Gap(int low, int high, double width) {}

  /**
   * Takes the widest gaps one by one from a heap. All pairs of a prompt are never enumerated: an
   * imported data set may hold a hundred thousand texts under one empty prompt.
   */
  private static void addScored(
      PromptRatings prompt,
      double minimumMargin,
      int maximum,
      Set<Preference> settled,
      List<Row.Pair> pairs) {
    List<Answer> ordered =
        prompt.answers().stream()
            .filter(answer -> answer.mean().isPresent())
            .sorted(Comparator.comparingDouble(answer -> answer.mean().getAsDouble()))
            .toList();
    double[] means = ordered.stream().mapToDouble(a -> a.mean().getAsDouble()).toArray();
    PriorityQueue<Gap> widest =
        new PriorityQueue<>(
            Comparator.comparingDouble(Gap::width)
                .reversed()
                .thenComparing(Gap::low)
                .thenComparing(Gap::high, Comparator.reverseOrder()));
    // Row i of the heap walks from the best answer down; the next row opens when this one is used.
    offer(widest, means, 0, means.length - 1);
    while (pairs.size() < maximum && !widest.isEmpty()) {
      Gap gap = widest.poll();
      if (gap.width() <= ROUNDING || gap.width() < minimumMargin - ROUNDING) {
        return;
      }
      offer(widest, means, gap.low(), gap.high() - 1);
      if (gap.high() == means.length - 1) {
        offer(widest, means, gap.low() + 1, gap.high());
      }
      Answer better = ordered.get(gap.high());
      Answer worse = ordered.get(gap.low());
      if (!settled.contains(new Preference(better.text(), worse.text()))) {
        List<String> ids = new ArrayList<>(better.scoreIds());
        ids.addAll(worse.scoreIds());
        pairs.add(new Row.Pair(prompt.prompt(), better.text(), worse.text(), ids));
      }
    }
  }

  private static void offer(PriorityQueue<Gap> widest, double[] means, int low, int high) {
    if (low < high) {
      widest.add(new Gap(low, high, means[high] - means[low]));
    }
  }
}
