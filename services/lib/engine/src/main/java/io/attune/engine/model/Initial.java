package io.attune.engine.model;

import java.util.Arrays;
import java.util.Random;

/**
 * What a fresh weight holds, before training from nothing: normal(mean, deviation), and perhaps a
 * row of zeros.
 *
 * @param zeroRow the row of a table that stays zero (the padding token's embedding); -1 for none
 */
public record Initial(double mean, double deviation, int zeroRow) {
  public static Initial normal(double deviation) {
    return new Initial(0, deviation, -1);
  }

  public static Initial constant(double value) {
    return new Initial(value, 0, -1);
  }

  public Initial withZeroRow(int row) {
    return new Initial(mean, deviation, row);
  }

  /**
   * Draws a weight's elements, row-major.
   *
   * @param rows the weight's first dimension
   */
  float[] draw(int size, int rows, Random random) {
    float[] values = new float[size];
    if (deviation == 0) {
      Arrays.fill(values, (float) mean);
    } else {
      for (int i = 0; i < size; i++) {
        values[i] = (float) (mean + random.nextGaussian() * deviation);
      }
    }
    if (zeroRow >= 0 && zeroRow < rows) {
      int width = size / rows;
      Arrays.fill(values, zeroRow * width, (zeroRow + 1) * width, 0);
    }
    return values;
  }
}
