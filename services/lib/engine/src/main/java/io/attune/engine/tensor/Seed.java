package io.attune.engine.tensor;

import java.util.Random;

/** Where all chance comes from: a seed and a purpose give the same numbers on every machine. */
public final class Seed {
  private Seed() {}

  /** A generator for one purpose, independent of those for other purposes of the same seed. */
  public static Random random(long seed, String purpose) {
    return new Random(derive(seed, purpose.hashCode()));
  }

  /** 0 to {@code size - 1} in an order of its own for each seed and purpose. */
  public static int[] permutation(long seed, String purpose, int size) {
    int[] order = new int[size];
    Random random = random(seed, purpose);
    for (int i = 0; i < size; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  /** A seed from a seed and a counter (SplitMix64's finaliser), as for step {@code counter}. */
  public static long derive(long seed, long counter) {
    long z = seed * 0x9E3779B97F4A7C15L + counter + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
