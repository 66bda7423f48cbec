package io.attune.engine.rollout;

import java.util.Arrays;

/**
 * Count, mean and spread of numbers that were seen; NaN stands for one that is missing.
 *
 * @param squares sum of squared distances from the mean
 */
public record Moments(long count, double mean, double squares) {
  public static final Moments NONE = new Moments(0, 0, 0);

  /**
   * @throws IllegalArgumentException if they are those of no numbers
   */
  public Moments {
    if (count < 0 || !Double.isFinite(mean) || !(squares >= 0)) {
      throw new IllegalArgumentException(
          "%d numbers with mean %s and squares %s".formatted(count, mean, squares));
    }
  }

  static Moments of(double[] values) {
    double[] known = Arrays.stream(values).filter(value -> !Double.isNaN(value)).toArray();
    double mean = Arrays.stream(known).average().orElse(0);
    double squares = Arrays.stream(known).map(value -> (value - mean) * (value - mean)).sum();
    return new Moments(known.length, mean, squares);
  }

  /** Of both together: Chan, Golub and LeVeque (1979). */
  Moments plus(Moments more) {
    long total = count + more.count;
    if (total == 0) {
      return NONE;
    }
    double apart = more.mean - mean;
    return new Moments(
        total,
        mean + apart * more.count / total,
        squares + more.squares + apart * apart * count * more.count / total);
  }

  /** Unbiased, so NaN for fewer than two numbers. */
  double variance() {
    return count < 2 ? Double.NaN : squares / (count - 1);
  }

  double standardDeviation() {
    return Math.sqrt(variance());
  }
}
