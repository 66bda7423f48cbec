package io.attune.engine.train;

import java.util.Arrays;
import java.util.Comparator;

/**
 * Groups rows of about equal length, as transformers' {@code get_length_grouped_indices}: a
 * shuffled order is parted into groups of many batches, each sorted from long to short; the longest
 * row comes first of all, so that a run that lacks memory fails at once.
 */
final class LengthGroups {
  private static final int MAX_BATCHES = 50;

  private LengthGroups() {}

  /**
   * @param shuffled rows in random order; not changed
   * @param lengths of each row
   * @param batch rows that a step takes
   */
  static int[] order(int[] shuffled, int[] lengths, int batch) {
    int batches = Math.max(1, Math.min(shuffled.length / (batch * 4), MAX_BATCHES));
    int group = batches * batch;
    Integer[] order = Arrays.stream(shuffled).boxed().toArray(Integer[]::new);
    Comparator<Integer> longestFirst = Comparator.comparingInt(row -> -lengths[row]);
    int longest = 0;
    for (int from = 0; from < order.length; from += group) {
      Arrays.sort(order, from, Math.min(order.length, from + group), longestFirst);
      longest = lengths[order[from]] > lengths[order[longest]] ? from : longest;
    }
    Integer first = order[0];
    order[0] = order[longest];
    order[longest] = first;
    return Arrays.stream(order).mapToInt(Integer::intValue).toArray();
  }
}
