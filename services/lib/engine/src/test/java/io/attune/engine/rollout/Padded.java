package io.attune.engine.rollout;

import io.attune.engine.objective.Reading;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A random batch as the papers' formulas see it: arrays [B, T] with a mask, and numbers where there
 * is none that must not matter. Tests compute on these what the engine computes on ragged rows.
 */
final class Padded {
  final int rows;
  final int width;
  final double[][] mask;
  private final Random random;

  Padded(long seed) {
    random = new Random(seed);
    rows = 1 + random.nextInt(6);
    width = 2 + random.nextInt(9);
    mask = new double[rows][width];
    for (double[] row : mask) {
      Arrays.fill(row, 0, 1 + random.nextInt(width), 1);
    }
    Arrays.fill(mask[0], 0, 2, 1); // two tokens at least, so that there is a variance
  }

  /** Numbers of a normal distribution, in the padding too. */
  double[][] normal(double mean, double deviation) {
    double[][] result = new double[rows][width];
    for (double[] row : result) {
      Arrays.setAll(row, t -> mean + deviation * random.nextGaussian());
    }
    return result;
  }

  double[][] logProbs() {
    double[][] result = new double[rows][width];
    for (double[] row : result) {
      Arrays.setAll(row, t -> -3 * random.nextDouble());
    }
    return result;
  }

  double[][] near(double[][] values, double deviation) {
    double[][] noise = normal(0, deviation);
    for (int i = 0; i < rows; i++) {
      for (int t = 0; t < width; t++) {
        noise[i][t] += values[i][t];
      }
    }
    return noise;
  }

  /** One number for each row, the same in all its places. */
  double[][] constant() {
    double[][] result = new double[rows][width];
    for (double[] row : result) {
      Arrays.fill(row, random.nextGaussian());
    }
    return result;
  }

  Random random() {
    return random;
  }

  int length(int row) {
    return (int) Arrays.stream(mask[row]).sum();
  }

  int[] lengths() {
    return IntStream.range(0, rows).map(this::length).toArray();
  }

  double tokens() {
    return Arrays.stream(lengths()).sum();
  }

  /** Without the padding. */
  double[][] ragged(double[][] values) {
    double[][] result = new double[rows][];
    for (int i = 0; i < rows; i++) {
      result[i] = Arrays.copyOf(values[i], length(i));
    }
    return result;
  }

  static List<Reading> readings(double[][] ragged) {
    List<Reading> readings = new ArrayList<>();
    for (double[] row : ragged) {
      readings.add(new Reading(row, new boolean[0]));
    }
    return readings;
  }

  /** An experience of which only the policy's part matters. */
  static Experience experience(
      double[] old, double[] advantages, double[] reference, double[] weights) {
    return new Experience(
        new int[] {1}, new int[old.length], old, advantages, reference, null, null, weights);
  }

  /** An experience of which only the values' part matters. */
  static Experience valued(double[] returns, double[] oldValues) {
    double[] none = new double[returns.length];
    return new Experience(
        new int[] {1}, new int[none.length], none, none, null, returns, oldValues, null);
  }
}
