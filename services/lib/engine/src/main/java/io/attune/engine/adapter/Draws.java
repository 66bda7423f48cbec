package io.attune.engine.adapter;

import io.attune.engine.tensor.Seed;
import java.util.Arrays;
import java.util.Random;

/** Random values in the distributions that torch's modules start with. */
final class Draws {
  private final Random random;

  Draws(long seed, String purpose) {
    random = Seed.random(seed, purpose);
  }

  /** Of {@code torch.nn.Embedding}, with {@code deviation} 1. */
  float[] normal(long count, double deviation) {
    float[] values = new float[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * deviation);
    }
    return values;
  }

  /** Normal, drawn again where it is more than two deviations from 0. */
  float[] truncatedNormal(long count, double deviation) {
    float[] values = new float[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      double value = random.nextGaussian();
      while (Math.abs(value) > 2) {
        value = random.nextGaussian();
      }
      values[i] = (float) (value * deviation);
    }
    return values;
  }

  /**
   * Uniform in +-1/sqrt(fan): weights and biases of {@code torch.nn.Linear} and {@code LSTM}, and
   * {@code kaiming_uniform_(a=sqrt(5))}.
   */
  float[] uniform(long count, int fan) {
    double bound = 1 / Math.sqrt(fan);
    float[] values = new float[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) ((2 * random.nextDouble() - 1) * bound);
    }
    return values;
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  static float[] constant(long count, double value) {
    float[] values = new float[Math.toIntExact(count)];
    Arrays.fill(values, (float) value);
    return values;
  }
}
