package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;

/**
 * Sequences laid end to end, without padding.
 *
 * @param ids [N]
 * @param positions [N], from 0 in each sequence
 * @param pad [B, T]: which of the N tokens stands at each place of a padded layout; a token that
 *     several sequences share stands in the rows of all of them
 * @param unpad [N]: the place of each token in that layout; empty where all sequences are equally
 *     long and share nothing
 * @param starts where each sequence's own tokens begin among the N tokens, after its virtual ones
 *     (for a sequence that shares its first tokens, where they would begin)
 * @param leaders for each sequence the one with which it shares its first tokens; itself if none
 * @param shared how many of its own tokens those are
 * @param tokens N
 */
public record TokenBatch(
    NDArray ids,
    NDArray positions,
    NDArray pad,
    NDArray unpad,
    int[] starts,
    int[] leaders,
    int[] shared,
    int tokens) {
  /** Tokens that sequences must have in common for sharing to be worth its layout. */
  private static final int WORTH_SHARING = 8;

  public static TokenBatch of(NDManager scope, List<int[]> sequences) {
    return of(scope, sequences, new int[0]);
  }

  /**
   * @param virtual ids that come before each sequence: an adapter's virtual tokens
   */
  public static TokenBatch of(NDManager scope, List<int[]> sequences, int[] virtual) {
    return of(scope, sequences, virtual, false);
  }

  /**
   * As {@link #of}, but tokens with which neighbouring sequences begin alike are there once: the
   * prompt of several answers. Only for models in which a token depends on none after it.
   */
  public static TokenBatch sharing(NDManager scope, List<int[]> sequences, int[] virtual) {
    return of(scope, sequences, virtual, true);
  }

  private static TokenBatch of(
      NDManager scope, List<int[]> sequences, int[] virtual, boolean sharing) {
    int rows = sequences.size();
    int longest = 0;
    int tokens = 0;
    int[] starts = new int[rows];
    int[] leaders = new int[rows];
    int[] shared = new int[rows];
    for (int row = 0; row < rows; row++) {
      int length = virtual.length + sequences.get(row).length;
      longest = Math.max(longest, length);
      leaders[row] = row;
      int common =
          sharing && row > 0 ? common(sequences.get(leaders[row - 1]), sequences.get(row)) : 0;
      if (common >= WORTH_SHARING) {
        leaders[row] = leaders[row - 1];
        shared[row] = common;
        starts[row] = tokens - common;
        tokens += sequences.get(row).length - common;
      } else {
        starts[row] = tokens + virtual.length;
        tokens += length;
      }
    }
    boolean uniform = tokens == rows * longest;
    long[] ids = new long[tokens];
    long[] positions = new long[tokens];
    long[] pad = new long[rows * longest];
    long[] unpad = new long[uniform ? 0 : tokens];
    for (int row = 0; row < rows; row++) {
      int[] sequence = sequences.get(row);
      for (int i = -virtual.length; i < sequence.length; i++) {
        int token = starts[i < shared[row] ? leaders[row] : row] + i;
        int place = row * longest + virtual.length + i;
        ids[token] = i < 0 ? virtual[virtual.length + i] : sequence[i];
        positions[token] = virtual.length + i;
        pad[place] = token;
        if (!uniform) {
          unpad[token] = place;
        }
      }
    }
    return new TokenBatch(
        scope.create(ids),
        scope.create(positions),
        scope.create(pad, new Shape(rows, longest)),
        scope.create(unpad, new Shape(unpad.length)),
        starts,
        leaders,
        shared,
        tokens);
  }

  private static int common(int[] a, int[] b) {
    int different = Arrays.mismatch(a, b);
    return different < 0 ? a.length : different;
  }

  /** Where a sequence's own token {@code i} is among the N tokens. */
  public int token(int sequence, int i) {
    return starts[i < shared[sequence] ? leaders[sequence] : sequence] + i;
  }

  /** The same tokens at other positions, [N]. */
  TokenBatch withPositions(NDArray other) {
    return new TokenBatch(ids, other, pad, unpad, starts, leaders, shared, tokens);
  }
}
