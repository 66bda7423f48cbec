package io.attune.engine.quant;

import java.util.Arrays;

/**
 * The signed 8-bit dynamic type (Dettmers, arXiv 1511.04561; arXiv 2110.02861, section 1.3): seven
 * decades, the larger the decade the more bits its fraction has.
 */
final class DynamicMap {
  private static final int DECADES = 7;

  private DynamicMap() {}

  /** The 256 values, ascending, from -0.993 to 1. */
  static float[] values() {
    float[] values = new float[256];
    int next = 0;
    for (int i = 0; i < DECADES; i++) {
      float scale = (float) Math.pow(10, i - DECADES + 1);
      float[] edges = linspace((1 << i) + 1);
      for (int k = 0; k < 1 << i; k++) {
        float mean = (edges[k] + edges[k + 1]) / 2;
        values[next++] = scale * mean;
        values[next++] = -scale * mean;
      }
    }
    values[next++] = 0;
    values[next] = 1;
    Arrays.sort(values);
    return values;
  }

  /** From 0.1 to 1, as torch computes it: from both ends to the middle. */
  private static float[] linspace(int steps) {
    float[] result = new float[steps];
    float step = (1f - 0.1f) / (steps - 1);
    for (int i = 0; i < steps; i++) {
      result[i] = i < steps / 2 ? 0.1f + step * i : 1f - step * (steps - i - 1);
    }
    return result;
  }

  /** Halfway between values that follow each other. */
  static float[] bounds() {
    float[] values = values();
    float[] bounds = new float[values.length - 1];
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = (values[i] + values[i + 1]) / 2;
    }
    return bounds;
  }
}
