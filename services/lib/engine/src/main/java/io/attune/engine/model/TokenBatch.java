package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.List;

/**
 * Sequences laid end to end, without padding.
 *
 * @param ids [N]
 * @param positions [N], from 0 in each sequence
 * @param pad [B, T]: which of the N tokens stands at each place of a padded layout
 * @param unpad [N]: the place of each token in that layout; empty where all sequences are equally
 *     long
 * @param starts where each sequence's own tokens begin among the N tokens, after its virtual ones
 * @param tokens N
 */
public record TokenBatch(
    NDArray ids, NDArray positions, NDArray pad, NDArray unpad, int[] starts, int tokens) {

  public static TokenBatch of(NDManager scope, List<int[]> sequences) {
    return of(scope, sequences, new int[0]);
  }

  /**
   * @param virtual ids that come before each sequence: an adapter's virtual tokens
   */
  public static TokenBatch of(NDManager scope, List<int[]> sequences, int[] virtual) {
    int rows = sequences.size();
    int longest = 0;
    int tokens = 0;
    int[] starts = new int[rows];
    for (int row = 0; row < rows; row++) {
      int length = virtual.length + sequences.get(row).length;
      starts[row] = tokens + virtual.length;
      tokens += length;
      longest = Math.max(longest, length);
    }
    boolean uniform = tokens == rows * longest;
    long[] ids = new long[tokens];
    long[] positions = new long[tokens];
    long[] pad = new long[rows * longest];
    long[] unpad = new long[uniform ? 0 : tokens];
    for (int row = 0; row < rows; row++) {
      int[] sequence = sequences.get(row);
      int first = starts[row] - virtual.length;
      for (int i = 0; i < virtual.length + sequence.length; i++) {
        int token = first + i;
        ids[token] = i < virtual.length ? virtual[i] : sequence[i - virtual.length];
        positions[token] = i;
        pad[row * longest + i] = token;
        if (!uniform) {
          unpad[token] = (long) row * longest + i;
        }
      }
    }
    return new TokenBatch(
        scope.create(ids),
        scope.create(positions),
        scope.create(pad, new Shape(rows, longest)),
        scope.create(unpad, new Shape(unpad.length)),
        starts,
        tokens);
  }

  /** The same tokens at other positions, [N]. */
  TokenBatch withPositions(NDArray other) {
    return new TokenBatch(ids, other, pad, unpad, starts, tokens);
  }
}
