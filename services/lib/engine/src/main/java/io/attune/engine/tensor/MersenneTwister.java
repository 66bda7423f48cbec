package io.attune.engine.tensor;

/**
 * The 32-bit Mersenne Twister (Matsumoto and Nishimura 1998) as torch's CPU generator has it:
 * {@code torch.Generator().manual_seed(seed)} and {@code Tensor.uniform_} give the same numbers.
 */
public final class MersenneTwister {
  private static final int N = 624;
  private static final int M = 397;
  private static final int UPPER = 0x80000000;
  private static final int LOWER = 0x7fffffff;
  private static final int MATRIX = 0x9908b0df;

  /** Bits of a float's significand, its hidden one included. */
  private static final int DIGITS = 24;

  private final int[] state = new int[N];
  private int next = N;

  /**
   * @param seed of which torch takes the lower 32 bits
   */
  public MersenneTwister(long seed) {
    state[0] = (int) seed;
    for (int i = 1; i < N; i++) {
      state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
  }

  private void twist() {
    for (int i = 0; i < N; i++) {
      int y = (state[i] & UPPER) | (state[(i + 1) % N] & LOWER);
      state[i] = state[(i + M) % N] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : MATRIX);
    }
    next = 0;
  }

  /** The next 32 bits. */
  public int nextInt() {
    if (next == N) {
      twist();
    }
    int y = state[next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return y ^ (y >>> 18);
  }

  /** The next value of {@code Tensor.uniform_(from, to)} on float32. */
  public float uniform(float from, float to) {
    double unit = (nextInt() & ((1 << DIGITS) - 1)) * (1.0 / (1 << DIGITS));
    return (float) (unit * (to - from) + from);
  }
}
