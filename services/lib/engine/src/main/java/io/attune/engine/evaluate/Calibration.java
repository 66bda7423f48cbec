package io.attune.engine.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/** Whether numbers mean what they say, and maps that make them do so. */
public final class Calibration {
  private Calibration() {}

  /**
   * The straight line that is nearest to the targets (least squares); the targets' mean where the
   * scores do not vary.
   *
   * @param targets one for each score, at least one
   */
  public static DoubleUnaryOperator affine(double[] scores, double[] targets) {
    double meanX = Arrays.stream(scores).average().orElseThrow();
    double meanY = Arrays.stream(targets).average().orElseThrow();
    double xx = 0;
    double xy = 0;
    for (int i = 0; i < scores.length; i++) {
      xx += (scores[i] - meanX) * (scores[i] - meanX);
      xy += (scores[i] - meanX) * (targets[i] - meanY);
    }
    double slope = xx == 0 ? 0 : xy / xx;
    return score -> meanY + slope * (score - meanX);
  }

  /**
   * The rising function that is nearest to the targets (least squares), by pooling adjacent
   * violators (Ayer et al. 1955): between the scores that it was fitted to it goes straight, beyond
   * them it stays where it is.
   *
   * @param targets one for each score, at least one
   */
  public static DoubleUnaryOperator isotonic(double[] scores, double[] targets) {
    int[] order =
        IntStream.range(0, scores.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> scores[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    List<Block> blocks = new ArrayList<>();
    for (int at = 0; at < order.length; ) {
      int end = at;
      double sum = 0;
      for (; end < order.length && scores[order[end]] == scores[order[at]]; end++) {
        sum += targets[order[end]]; // equal scores have one value
      }
      Block block = new Block(scores[order[at]], scores[order[at]], sum, end - at);
      while (!blocks.isEmpty() && blocks.get(blocks.size() - 1).mean() >= block.mean()) {
        block = blocks.remove(blocks.size() - 1).with(block);
      }
      blocks.add(block);
      at = end;
    }
    double[] x = new double[2 * blocks.size()];
    double[] y = new double[x.length];
    for (int i = 0; i < blocks.size(); i++) {
      x[2 * i] = blocks.get(i).from();
      x[2 * i + 1] = blocks.get(i).to();
      y[2 * i] = blocks.get(i).mean();
      y[2 * i + 1] = y[2 * i];
    }
    return score -> interpolated(x, y, score);
  }

  /** Scores that have one value: the mean of their targets. */
  private record Block(double from, double to, double sum, long count) {
    double mean() {
      return sum / count;
    }

    Block with(Block next) {
      return new Block(from, next.to, sum + next.sum, count + next.count);
    }
  }

  private static double interpolated(double[] x, double[] y, double at) {
    if (!(at > x[0])) {
      return y[0];
    }
    if (at >= x[x.length - 1]) {
      return y[y.length - 1];
    }
    int found = Arrays.binarySearch(x, at);
    if (found >= 0) {
      return y[found];
    }
    int above = -found - 1;
    double share = (at - x[above - 1]) / (x[above] - x[above - 1]);
    return y[above - 1] + share * (y[above] - y[above - 1]);
  }

  /**
   * Scores as maps of another half of the rows make them: rows with an even place are mapped by
   * what was fitted to those with an odd one, and the other way round, so that no row is judged by
   * a map that has seen it.
   *
   * @param targets one for each score, at least two
   */
  static double[] crossFitted(double[] scores, double[] targets, Fit fit) {
    double[] mapped = new double[scores.length];
    for (int half = 0; half < 2; half++) {
      int other = 1 - half;
      int[] seen = IntStream.range(0, scores.length).filter(i -> i % 2 == other).toArray();
      DoubleUnaryOperator map =
          fit.fit(
              Arrays.stream(seen).mapToDouble(i -> scores[i]).toArray(),
              Arrays.stream(seen).mapToDouble(i -> targets[i]).toArray());
      for (int i = half; i < scores.length; i += 2) {
        mapped[i] = map.applyAsDouble(scores[i]);
      }
    }
    return mapped;
  }

  /** {@link #affine} or {@link #isotonic}. */
  @FunctionalInterface
  interface Fit {
    DoubleUnaryOperator fit(double[] scores, double[] targets);
  }

  /**
   * By how much scores are off on average where they are alike: rows are put into ten bins of equal
   * numbers by their score, and in each the mean score is compared with the mean target.
   */
  static double error(double[] scores, double[] targets) {
    int[] order =
        IntStream.range(0, scores.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> scores[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    int bins = Math.min(10, order.length);
    double error = 0;
    for (int bin = 0; bin < bins; bin++) {
      double off = 0;
      for (int i = bin * order.length / bins; i < (bin + 1) * order.length / bins; i++) {
        off += scores[order[i]] - targets[order[i]];
      }
      error += Math.abs(off) / order.length;
    }
    return error;
  }

  static double rootMeanSquare(double[] scores, double[] targets) {
    double sum = 0;
    for (int i = 0; i < scores.length; i++) {
      sum += (scores[i] - targets[i]) * (scores[i] - targets[i]);
    }
    return Math.sqrt(sum / scores.length);
  }
}
