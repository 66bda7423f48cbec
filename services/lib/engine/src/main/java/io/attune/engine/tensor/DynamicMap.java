package io.attune.engine.tensor;

import java.util.Arrays;

/**
 * The 256 values of bitsandbytes' dynamic 8-bit type (Dettmers et al., arXiv 2110.02861): a decimal
 * exponent of variable length, and a linear fraction in the bits that it leaves.
 */
public final class DynamicMap {
  /** Entries of {@link #codes}: as many as bitsandbytes' CPU kernels take. */
  public static final int CODES = 65536;

  private static final int EXPONENTS = 7;

  private DynamicMap() {}

  /** The values in ascending order, within [-1, 1] or [0, 1]. */
  public static float[] values(boolean signed) {
    float[] values = new float[256];
    int count = 0;
    for (int exponent = 0; exponent < EXPONENTS; exponent++) {
      int fractions = 1 << (signed ? exponent : exponent + 1);
      float scale = (float) Math.pow(10, exponent - (EXPONENTS - 1));
      for (int i = 0; i < fractions; i++) {
        float mean = (boundary(i, fractions) + boundary(i + 1, fractions)) / 2;
        values[count++] = scale * mean;
        if (signed) {
          values[count++] = -scale * mean;
        }
      }
    }
    values[count++] = 0;
    values[count] = 1;
    Arrays.sort(values);
    return values;
  }

  /**
   * {@code torch.linspace(0.1, 1, steps + 1)[i]}, which counts from both ends. Where a processor
   * has fused multiply-add, torch rounds once; that is followed here on every processor.
   */
  private static float boundary(int i, int steps) {
    float step = (1f - 0.1f) / steps;
    return i < (steps + 1) / 2 ? Math.fma(step, i, 0.1f) : Math.fma(-step, steps - i, 1f);
  }

  /**
   * The code, an index into {@code values}, of each of {@link #CODES} equal parts of [-1, 1].
   * bitsandbytes looks codes up in this table on CPU; values within 1.5e-5 of zero share theirs.
   */
  public static byte[] codes(float[] values) {
    byte[] codes = new byte[CODES];
    int code = 0;
    for (int i = 0; i < CODES; i++) {
      float value = -1f + (2f * i) / (CODES - 1);
      while (code < values.length - 1 && 0.5f * (values[code] + values[code + 1]) < value) {
        code++;
      }
      codes[i] = (byte) code;
    }
    return codes;
  }

  /** Halfway between the signed values that follow each other. */
  public static float[] bounds() {
    float[] values = values(true);
    float[] bounds = new float[values.length - 1];
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = (values[i] + values[i + 1]) / 2;
    }
    return bounds;
  }
}
