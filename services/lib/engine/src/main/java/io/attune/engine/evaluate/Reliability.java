package io.attune.engine.evaluate;

import java.util.ArrayList;
import java.util.List;

/**
 * Whether the better of two answers is as often the one that people prefer as the model says: the
 * answer with the higher score is better with probability sigmoid(difference), its confidence,
 * which is at least one half.
 *
 * <p>The expected calibration error (Naeini et al. 2015; Guo et al., arXiv 1706.04599) is the mean
 * over pairs of how far accuracy and mean confidence of their bin are apart; the bins are {@value
 * #BINS} equal parts of [1/2, 1].
 */
public final class Reliability implements Metric {
  static final int BINS = 10;

  /** The expected calibration error over the statistics of {@link #statistics}. */
  public static final Reliability ERROR = new Reliability();

  private Reliability() {}

  /**
   * The pairs of a bin.
   *
   * @param low the least confidence that belongs to it
   * @param high where the next one begins
   * @param pairs how many there are
   * @param confidence their mean
   * @param accuracy how many of them are in people's order; ties count half
   */
  public record Bin(double low, double high, long pairs, double confidence, double accuracy) {}

  /**
   * Of a pair: its confidence, whether its order is right, and 1, at its bin's places.
   *
   * @param chosen score of the answer that people prefer
   */
  public static double[] statistics(double chosen, double rejected) {
    double ahead = Math.abs(chosen - rejected);
    double confidence = 1 / (1 + Math.exp(-ahead));
    double[] statistics = new double[3 * BINS];
    int bin = Math.min(BINS - 1, (int) ((confidence - 0.5) * 2 * BINS));
    statistics[3 * bin] = confidence;
    statistics[3 * bin + 1] = order(chosen, rejected);
    statistics[3 * bin + 2] = 1;
    return statistics;
  }

  /** 1 for the right order, 0 for the wrong one, one half for none. */
  public static double order(double chosen, double rejected) {
    return chosen > rejected ? 1 : chosen == rejected ? 0.5 : 0;
  }

  @Override
  public String name() {
    return "calibration error";
  }

  @Override
  public double score(double[] sums) {
    double error = 0;
    double pairs = 0;
    for (int bin = 0; bin < BINS; bin++) {
      error += Math.abs(sums[3 * bin + 1] - sums[3 * bin]);
      pairs += sums[3 * bin + 2];
    }
    return error / pairs;
  }

  /** How many pairs of a bin are in people's order; asked only of one that has pairs. */
  public record Accuracy(int bin) implements Metric {
    @Override
    public String name() {
      return "accuracy at %.2f-%.2f".formatted(low(bin), low(bin + 1));
    }

    /** 0 where a resample has no pair of the bin. */
    @Override
    public double score(double[] sums) {
      return sums[3 * bin + 2] == 0 ? 0 : sums[3 * bin + 1] / sums[3 * bin + 2];
    }
  }

  private static double low(int bin) {
    return 0.5 + 0.5 * bin / BINS;
  }

  /** The bins that have pairs. */
  public static List<Bin> bins(double[] sums) {
    List<Bin> bins = new ArrayList<>();
    for (int bin = 0; bin < BINS; bin++) {
      double pairs = sums[3 * bin + 2];
      if (pairs > 0) {
        bins.add(
            new Bin(
                low(bin),
                low(bin + 1),
                Math.round(pairs),
                sums[3 * bin] / pairs,
                sums[3 * bin + 1] / pairs));
      }
    }
    return bins;
  }
}
