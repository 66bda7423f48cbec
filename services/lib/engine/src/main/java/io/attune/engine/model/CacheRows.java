package io.attune.engine.model;

import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The new tokens of some sequences, laid end to end, and where they go in a cache.
 *
 * @param ids [N]
 * @param position [N], from 0 in each sequence
 * @param place [N], counted through all slots of the cache
 * @param slots [n], of each row
 * @param pad [n * t]: for each place of a grid of rows the token there, a row's last one repeated
 *     past its end; empty where no row is shorter than another
 * @param unpad [N]: where each token is in that grid; empty likewise
 * @param last [n]: the last token of each row
 * @param longest t, tokens of the longest row
 * @param length places of a slot that are read: up to the last new token of the longest sequence
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
record CacheRows(
    long[] ids,
    long[] position,
    long[] place,
    int[] slots,
    long[] pad,
    long[] unpad,
    long[] last,
    int longest,
    int length) {
  /** What {@link #arguments} are for a program's method. */
  static final String PARAMETERS =
      "ids: Tensor, position: Tensor, place: Tensor, rows: Tensor, pad: Tensor, unpad: Tensor,"
          + " last: Tensor, kc: List[Tensor], vc: List[Tensor], first: int, n: int, t: int,"
          + " length: int";

  /** Refuses an empty row, and what does not fit the cache. */
  static CacheRows of(KvCache cache, int[] slots, int[][] tokens, int[] positions) {
    int total = 0;
    int longest = 0;
    int length = 0;
    boolean even = true;
    for (int r = 0; r < slots.length; r++) {
      int count = tokens[r].length;
      if (count == 0 || slots[r] < 0 || slots[r] >= cache.slots()) {
        throw new IllegalArgumentException("row " + r + " has no token or no such slot");
      }
      total += count;
      longest = Math.max(longest, count);
      length = Math.max(length, positions[r] + count);
      even &= count == tokens[0].length;
    }
    if (length > cache.capacity()) {
      throw new IllegalArgumentException(
          length + " tokens do not fit a cache of " + cache.capacity());
    }
    long[] ids = new long[total];
    long[] position = new long[total];
    long[] place = new long[total];
    long[] last = new long[slots.length];
    long[] pad = new long[even ? 0 : slots.length * longest];
    long[] unpad = new long[even ? 0 : total];
    int next = 0;
    for (int r = 0; r < slots.length; r++) {
      int start = next;
      for (int i = 0; i < tokens[r].length; i++, next++) {
        ids[next] = tokens[r][i];
        position[next] = positions[r] + i;
        place[next] = (long) slots[r] * cache.capacity() + positions[r] + i;
      }
      last[r] = next - 1;
      for (int i = 0; i < longest && !even; i++) {
        pad[r * longest + i] = Math.min(start + i, next - 1);
      }
      for (int i = start; i < next && !even; i++) {
        unpad[i] = (long) r * longest + i - start;
      }
    }
    return new CacheRows(ids, position, place, slots, pad, unpad, last, longest, length);
  }

  /** Arguments of a method that has {@link #PARAMETERS}. */
  List<Object> arguments(NDManager inputs, KvCache cache) {
    return new ArrayList<>(
        List.of(
            inputs.create(ids),
            inputs.create(position),
            inputs.create(place),
            inputs.create(longs(slots)),
            inputs.create(pad),
            inputs.create(unpad),
            inputs.create(last),
            cache.keys(),
            cache.values(),
            first(slots),
            slots.length,
            longest,
            length));
  }

  /** The first slot where they follow each other, so that a cache is read in place; else -1. */
  static int first(int[] slots) {
    for (int i = 1; i < slots.length; i++) {
      if (slots[i] != slots[0] + i) {
        return -1;
      }
    }
    return slots[0];
  }

  static long[] longs(int[] values) {
    return Arrays.stream(values).asLongStream().toArray();
  }
}
