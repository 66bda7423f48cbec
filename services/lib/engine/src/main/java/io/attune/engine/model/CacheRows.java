package io.attune.engine.model;

import java.util.Arrays;

/**
 * Where the new tokens of some sequences go in a cache, token by token (N = rows x tokens).
 *
 * @param ids [N]
 * @param position [N], from 0 in each sequence
 * @param slot [N]
 * @param length places of a slot that are read: up to the last new token of the longest sequence
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
record CacheRows(long[] ids, long[] position, long[] slot, int length) {

  /** Refuses rows of different lengths, and what does not fit the cache. */
  static CacheRows of(KvCache cache, int[] slots, int[][] tokens, int[] positions) {
    int count = tokens[0].length;
    long[] ids = new long[slots.length * count];
    long[] position = new long[ids.length];
    long[] slot = new long[ids.length];
    int length = 0;
    for (int r = 0; r < slots.length; r++) {
      length = Math.max(length, positions[r] + count);
      if (tokens[r].length != count || slots[r] < 0 || slots[r] >= cache.slots()) {
        throw new IllegalArgumentException("row " + r + " has another length or no such slot");
      }
      for (int i = 0; i < count; i++) {
        ids[r * count + i] = tokens[r][i];
        position[r * count + i] = positions[r] + i;
        slot[r * count + i] = slots[r];
      }
    }
    if (length > cache.capacity()) {
      throw new IllegalArgumentException(
          length + " tokens do not fit a cache of " + cache.capacity());
    }
    return new CacheRows(ids, position, slot, length);
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
