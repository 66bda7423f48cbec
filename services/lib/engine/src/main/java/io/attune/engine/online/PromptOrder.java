package io.attune.engine.online;

import io.attune.engine.tensor.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which prompts an iteration takes: epoch after epoch, each in an order of its own, without a gap
 * between them. A function of seed and iteration alone.
 */
final class PromptOrder {
  private final int prompts;
  private final int each;
  private final long seed;
  private final boolean shuffle;

  /**
   * @param prompts of the data
   * @param each that an iteration takes
   */
  PromptOrder(int prompts, int each, long seed, boolean shuffle) {
    this.prompts = prompts;
    this.each = each;
    this.seed = seed;
    this.shuffle = shuffle;
  }

  /** Indices of the prompts of an iteration, counted from 0. */
  List<Integer> of(int iteration) {
    List<Integer> result = new ArrayList<>();
    long from = (long) iteration * each;
    int epoch = -1;
    int[] order = {};
    for (long at = from; at < from + each; at++) {
      if (epoch != at / prompts) {
        epoch = Math.toIntExact(at / prompts);
        order = order(epoch);
      }
      result.add(order[(int) (at % prompts)]);
    }
    return result;
  }

  private int[] order(int epoch) {
    return shuffle
        ? Seed.permutation(Seed.derive(seed, epoch), "order", prompts)
        : IntStream.range(0, prompts).toArray();
  }
}
