package io.attune.engine.train;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Packs whole examples into rows of a given number of tokens, so that every step has about as many.
 *
 * <p>An example stays a sequence of its own: its positions start at 0 and it attends to itself
 * alone, so nothing of a row's other examples can reach it. (The engine lays sequences end to end
 * anyhow; there is no padding that packing would save.)
 */
final class Packing {
  /** Tokens of a pass from which on its products are efficient. */
  private static final int ENOUGH_TOKENS = 256;

  private Packing() {}

  /**
   * Best-fit decreasing, as trl's {@code bfd}: from long to short, each into the fullest row that
   * has room (Ding et al., arXiv 2404.10830).
   *
   * @param lengths of the examples, each at most {@code capacity}
   * @return the examples of each row
   */
  static List<int[]> bestFitDecreasing(int[] lengths, int capacity) {
    Integer[] longestFirst = IntStream.range(0, lengths.length).boxed().toArray(Integer[]::new);
    Arrays.sort(longestFirst, Comparator.comparingInt(i -> -lengths[i]));
    List<List<Integer>> rows = new ArrayList<>();
    TreeSet<Integer> spaces = new TreeSet<>();
    Map<Integer, Deque<List<Integer>>> bySpace = new HashMap<>();
    for (int example : longestFirst) {
      Integer space = spaces.ceiling(lengths[example]);
      List<Integer> row;
      if (space == null) {
        space = capacity;
        row = new ArrayList<>();
        rows.add(row);
      } else {
        Deque<List<Integer>> candidates = bySpace.get(space);
        row = candidates.removeFirst();
        if (candidates.isEmpty()) {
          spaces.remove(space);
        }
      }
      row.add(example);
      int left = space - lengths[example];
      if (left > 0) {
        spaces.add(left);
        bySpace.computeIfAbsent(left, key -> new ArrayDeque<>()).addLast(row);
      }
    }
    return rows.stream().map(row -> row.stream().mapToInt(Integer::intValue).toArray()).toList();
  }

  /**
   * Parts the examples of a step into passes. Attention lays a pass out in rows as long as its
   * longest sequence, so sequences of about equal length go together: at most half of that layout
   * is empty unless the pass is small.
   *
   * @param capacity tokens of a pass at most, as far as one example is not longer
   */
  static List<int[]> passes(int[] examples, int[] lengths, int capacity) {
    Integer[] longestFirst = Arrays.stream(examples).boxed().toArray(Integer[]::new);
    Arrays.sort(longestFirst, Comparator.comparingInt(i -> -lengths[i]));
    List<int[]> passes = new ArrayList<>();
    int first = 0;
    int tokens = 0;
    for (int i = 0; i < longestFirst.length; i++) {
      int length = lengths[longestFirst[i]];
      int all = tokens + length;
      long layout = (long) (i - first + 1) * lengths[longestFirst[first]];
      boolean sparse = tokens >= ENOUGH_TOKENS && layout > 2L * all;
      if (i > first && (all > capacity || sparse)) {
        passes.add(part(longestFirst, first, i));
        first = i;
        all = length;
      }
      tokens = all;
    }
    passes.add(part(longestFirst, first, longestFirst.length));
    return passes;
  }

  private static int[] part(Integer[] examples, int from, int to) {
    return Arrays.stream(examples, from, to).mapToInt(Integer::intValue).toArray();
  }
}
