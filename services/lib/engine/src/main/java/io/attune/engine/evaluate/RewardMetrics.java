package io.attune.engine.evaluate;

import io.attune.engine.objective.RatedSequence;
import io.attune.engine.objective.RewardPair;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/** How good a reward model's scores of held-out rows are. */
public final class RewardMetrics {
  private RewardMetrics() {}

  /**
   * Of pairs: {@code accuracy} and {@code calibration_error} of their probabilities.
   *
   * @param scores of the chosen and the rejected answer of each pair in turn
   */
  static Map<String, Double> ofPairs(double[] scores) {
    Map<String, Double> metrics = new TreeMap<>();
    metrics.put("calibration_error", Reliability.ERROR.score(sums(scores)));
    return metrics;
  }

  /** The reliability of pairs' probabilities, bin by bin; see {@link Reliability}. */
  public static List<Reliability.Bin> reliability(List<?> rows, double[] scores) {
    return rows.get(0) instanceof RewardPair ? Reliability.bins(sums(scores)) : List.of();
  }

  private static double[] sums(double[] scores) {
    double[] sums = new double[3 * Reliability.BINS];
    for (int i = 0; i < scores.length; i += 2) {
      double[] pair = Reliability.statistics(scores[i], scores[i + 1]);
      for (int k = 0; k < sums.length; k++) {
        sums[k] += pair[k];
      }
    }
    return sums;
  }

  /**
   * Of answers with scores: correlations, errors before and after calibration, and how often the
   * better of two answers to one prompt scores higher.
   *
   * @param predicted one for each row
   */
  static Map<String, Double> ofScores(List<RatedSequence> rows, double[] predicted) {
    double[] given = rows.stream().mapToDouble(RatedSequence::score).toArray();
    Map<String, Double> metrics = new TreeMap<>();
    metrics.put("pearson", Correlation.pearson(predicted, given));
    metrics.put("spearman", Correlation.spearman(predicted, given));
    putErrors(metrics, "", predicted, given);
    if (predicted.length > 1) {
      putErrors(
          metrics,
          "_affine",
          Calibration.crossFitted(predicted, given, Calibration::affine),
          given);
      putErrors(
          metrics,
          "_isotonic",
          Calibration.crossFitted(predicted, given, Calibration::isotonic),
          given);
    }
    pairAccuracy(rows, predicted).ifPresent(value -> metrics.put("accuracy", value));
    return metrics;
  }

  private static void putErrors(
      Map<String, Double> metrics, String suffix, double[] predicted, double[] given) {
    metrics.put("rmse" + suffix, Calibration.rootMeanSquare(predicted, given));
    metrics.put("calibration_error" + suffix, Calibration.error(predicted, given));
  }

  /** Over all pairs of answers to one prompt that people scored differently; ties count half. */
  static OptionalDouble pairAccuracy(List<RatedSequence> rows, double[] predicted) {
    Map<Object, List<Integer>> byPrompt = new HashMap<>();
    for (int i = 0; i < rows.size(); i++) {
      if (rows.get(i).prompt() != null) {
        byPrompt.computeIfAbsent(rows.get(i).prompt(), p -> new ArrayList<>()).add(i);
      }
    }
    double right = 0;
    long pairs = 0;
    for (List<Integer> group : byPrompt.values()) {
      for (int a : group) {
        for (int b : group) {
          if (rows.get(a).score() > rows.get(b).score()) {
            pairs++;
            right += Reliability.order(predicted[a], predicted[b]);
          }
        }
      }
    }
    return pairs == 0 ? OptionalDouble.empty() : OptionalDouble.of(right / pairs);
  }
}
