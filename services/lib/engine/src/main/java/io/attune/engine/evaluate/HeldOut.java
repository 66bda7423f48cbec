package io.attune.engine.evaluate;

import io.attune.engine.data.LabelledText;
import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Metrics;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.RatedSequence;
import io.attune.engine.objective.Reading;
import io.attune.engine.objective.RewardObjective;
import io.attune.engine.objective.RewardPair;
import io.attune.engine.train.Reader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An objective's loss and metrics over held-out rows; of a reward model also what {@link
 * RewardMetrics} says, of a classifier of one class each the macro F1.
 */
public final class HeldOut {
  private HeldOut() {}

  /**
   * What reading rows gave.
   *
   * @param metrics by name, {@code loss} and {@code rows} among them
   * @param scores a reward model's, of each sequence of each row; empty for others
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never kept
  public record Outcome(Map<String, Double> metrics, double[] scores) {}

  /** Scores of all sequences of rows, in their order; see {@link #evaluate}. */
  public static <E> double[] scores(
      Reader<E> reader, RewardObjective<E> objective, List<E> rows, int batch) {
    List<Double> scores = new ArrayList<>();
    for (int at = 0; at < rows.size(); at += batch) {
      List<E> part = rows.subList(at, Math.min(rows.size(), at + batch));
      reader.read(part, false).forEach(reading -> scores.add(objective.score(reading)));
    }
    return scores.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /**
   * @param rows at least one
   * @param batch rows read at once
   */
  public static <E> Outcome evaluate(
      Reader<E> reader, Objective<E> objective, List<E> rows, int batch) {
    double normaliser = rows.stream().mapToDouble(objective::weight).sum();
    double loss = 0;
    Metrics metrics = new Metrics();
    List<Double> scores = new ArrayList<>();
    List<Reading> labelled = new ArrayList<>();
    for (int at = 0; at < rows.size(); at += batch) {
      List<E> part = rows.subList(at, Math.min(rows.size(), at + batch));
      List<Reading> policy = reader.read(part, false);
      List<Reading> reference = objective.usesReference() ? reader.read(part, true) : null;
      Loss result = objective.loss(part, policy, reference, normaliser);
      loss += result.value();
      metrics.addAll(result.metrics());
      if (objective instanceof RewardObjective<E> reward) {
        policy.forEach(reading -> scores.add(reward.score(reading)));
      }
      if (rows.get(0) instanceof LabelledText) {
        labelled.addAll(policy);
      }
    }
    Map<String, Double> result = new TreeMap<>(metrics.means());
    result.put("loss", loss);
    result.put("rows", (double) rows.size());
    double[] predicted = scores.stream().mapToDouble(Double::doubleValue).toArray();
    if (rows.get(0) instanceof RatedSequence) {
      result.putAll(
          RewardMetrics.ofScores(rows.stream().map(RatedSequence.class::cast).toList(), predicted));
    } else if (rows.get(0) instanceof RewardPair) {
      result.putAll(RewardMetrics.ofPairs(predicted));
    }
    if (rows.get(0) instanceof LabelledText && result.containsKey("accuracy")) {
      result.put("f1", macroF1(rows.stream().map(LabelledText.class::cast).toList(), labelled));
    }
    return new Outcome(result, predicted);
  }

  /** Of texts, or of all labelled tokens, that have one class each. */
  private static double macroF1(List<LabelledText> rows, List<Reading> readings) {
    List<Integer> truth = new ArrayList<>();
    List<Integer> predicted = new ArrayList<>();
    int labels = readings.get(0).values().length / rows.get(0).targets().length;
    for (int row = 0; row < rows.size(); row++) {
      double[] logits = readings.get(row).values();
      for (int place = 0; place < rows.get(row).targets().length; place++) {
        int best = place * labels;
        for (int i = best + 1; i < (place + 1) * labels; i++) {
          best = logits[i] > logits[best] ? i : best;
        }
        predicted.add(best - place * labels);
        truth.add((int) rows.get(row).targets()[place][0]);
      }
    }
    Confusions confusions =
        new Confusions(
            truth.stream().mapToInt(i -> i).toArray(),
            predicted.stream().mapToInt(i -> i).toArray(),
            labels);
    double[] sums = new double[confusions.width()];
    for (int i = 0; i < confusions.rows(); i++) {
      confusions.addTo(sums, i);
    }
    return new FScore(FScore.Quantity.F1, Averaging.MACRO, 0, 0).score(sums);
  }
}
