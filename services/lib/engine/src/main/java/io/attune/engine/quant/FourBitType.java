package io.attune.engine.quant;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The sixteen values of a four-bit code, as {@code bnb_4bit_quant_type} names them. */
public enum FourBitType {
  /**
   * NormalFloat (Dettmers et al., arXiv 2305.14314, appendix E): quantiles of the normal
   * distribution.
   */
  NF4(
      new float[] {
        -1f,
        -0.6961928009986877f,
        -0.5250730514526367f,
        -0.39491748809814453f,
        -0.28444138169288635f,
        -0.18477343022823334f,
        -0.09105003625154495f,
        0f,
        0.07958029955625534f,
        0.16093020141124725f,
        0.24611230194568634f,
        0.33791524171829224f,
        0.44070982933044434f,
        0.5626170039176941f,
        0.7229568362236023f,
        1f
      },
      IntStream.range(0, 16).toArray()),

  /** One bit of sign, two of exponent, one of mantissa; the largest is 12. */
  FP4(
      twelfths(0, 0.0625f, 8, 12, 4, 6, 2, 3, -0f, -0.0625f, -8, -12, -4, -6, -2, -3),
      new int[] {11, 10, 13, 12, 15, 14, 9, 0, 8, 1, 6, 7, 4, 5, 2, 3});

  private final float[] values;
  private final int[] ascending;

  FourBitType(float[] values, int[] ascending) {
    this.values = values;
    this.ascending = ascending;
  }

  private static float[] twelfths(float... values) {
    for (int i = 0; i < values.length; i++) {
      values[i] /= 12;
    }
    return values;
  }

  /** The type called {@code name}, as {@code nf4}; refuses other names. */
  public static FourBitType named(String name) {
    for (FourBitType type : values()) {
      if (type.toString().equals(name)) {
        return type;
      }
    }
    throw new IllegalArgumentException(
        "'bnb_4bit_quant_type' is '"
            + name
            + "'; there are "
            + Arrays.stream(values()).map(FourBitType::toString).collect(Collectors.joining(", ")));
  }

  /** Value of each code. */
  float[] codes() {
    return values.clone();
  }

  /** Codes by ascending value, 0 before -0. */
  int[] ascending() {
    return ascending.clone();
  }

  /** Halfway between values that follow each other: a number at one counts as below it. */
  float[] bounds() {
    float[] bounds = new float[values.length - 1];
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = (values[ascending[i]] + values[ascending[i + 1]]) / 2;
    }
    return bounds;
  }

  /** For each byte of two codes, the first in the upper half, their two values. */
  float[] pairs() {
    float[] pairs = new float[512];
    for (int i = 0; i < 256; i++) {
      pairs[2 * i] = values[i >> 4];
      pairs[2 * i + 1] = values[i & 15];
    }
    return pairs;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
