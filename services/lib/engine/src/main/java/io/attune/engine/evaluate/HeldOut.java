package io.attune.engine.evaluate;

import io.attune.engine.data.LabelledText;
import io.attune.engine.data.ScoredCompletion;
import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Metrics;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Reading;
import io.attune.engine.train.Reader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * An objective's loss and metrics over held-out rows; for scored rows also Pearson's correlation of
 * predicted and given scores, and how often the better of two answers to one prompt scores higher;
 * for a classifier of one class each also the macro F1.
 */
public final class HeldOut {
  private HeldOut() {}

  /**
   * @param batch rows read at once
   * @return metrics by name, {@code loss} and {@code rows} among them
   */
  public static <E> Map<String, Double> evaluate(
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
      policy.forEach(reading -> scores.add(reading.values()[0]));
      if (rows.get(0) instanceof LabelledText) {
        labelled.addAll(policy);
      }
    }
    Map<String, Double> result = new TreeMap<>(metrics.means());
    result.put("loss", loss);
    result.put("rows", (double) rows.size());
    if (rows.get(0) instanceof ScoredCompletion) {
      List<ScoredCompletion> scored = rows.stream().map(ScoredCompletion.class::cast).toList();
      double[] given = scored.stream().mapToDouble(ScoredCompletion::score).toArray();
      double[] predicted = scores.stream().mapToDouble(Double::doubleValue).toArray();
      result.put("pearson", pearson(predicted, given));
      pairAccuracy(scored, predicted).ifPresent(value -> result.put("accuracy", value));
    }
    if (rows.get(0) instanceof LabelledText && result.containsKey("accuracy")) {
      result.put("f1", macroF1(rows.stream().map(LabelledText.class::cast).toList(), labelled));
    }
    return result;
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

  /** 0 where either side does not vary: there is nothing to correlate. */
  static double pearson(double[] x, double[] y) {
    double meanX = Arrays.stream(x).average().orElse(0);
    double meanY = Arrays.stream(y).average().orElse(0);
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (int i = 0; i < x.length; i++) {
      xx += (x[i] - meanX) * (x[i] - meanX);
      yy += (y[i] - meanY) * (y[i] - meanY);
      xy += (x[i] - meanX) * (y[i] - meanY);
    }
    return xx == 0 || yy == 0 ? 0 : xy / Math.sqrt(xx * yy);
  }

  /** Over all pairs of answers to one prompt that people scored differently; ties count half. */
  static OptionalDouble pairAccuracy(List<ScoredCompletion> rows, double[] predicted) {
    Map<List<Integer>, List<Integer>> byPrompt = new HashMap<>();
    for (int i = 0; i < rows.size(); i++) {
      List<Integer> prompt = Arrays.stream(rows.get(i).promptIds()).boxed().toList();
      byPrompt.computeIfAbsent(prompt, p -> new ArrayList<>()).add(i);
    }
    double right = 0;
    long pairs = 0;
    for (List<Integer> group : byPrompt.values()) {
      for (int a : group) {
        for (int b : group) {
          if (rows.get(a).score() > rows.get(b).score()) {
            pairs++;
            right += predicted[a] > predicted[b] ? 1 : predicted[a] == predicted[b] ? 0.5 : 0;
          }
        }
      }
    }
    return pairs == 0 ? OptionalDouble.empty() : OptionalDouble.of(right / pairs);
  }
}
