package io.attune.launcher.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.Label;
import io.attune.engine.data.Row;
import io.attune.engine.evaluate.Accuracy;
import io.attune.engine.evaluate.Averaging;
import io.attune.engine.evaluate.Confusions;
import io.attune.engine.evaluate.FScore;
import io.attune.engine.evaluate.MatthewsCorrelation;
import io.attune.engine.model.ClassLabels;
import io.attune.launcher.local.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How well a classifier tells the labels of texts. */
final class ClassificationPass {
  private final ReadingSettings reading;
  private final Settings settings;
  private final Progress progress;

  /**
   * What can be set.
   *
   * @param averaging null for binary where there are two labels, else macro
   * @param positive name or number of the label that binary scores look at; null for label 1
   * @param zeroDivision what a quotient with a denominator of 0 is
   */
  record Settings(@Nullable Averaging averaging, @Nullable String positive, double zeroDivision) {}

  ClassificationPass(ReadingSettings reading, Settings settings, Progress progress) {
    this.reading = reading;
    this.settings = settings;
    this.progress = progress;
  }

  List<Measurement> measure(Subject subject, EvaluationData data, Set<Task> tasks) {
    ClassLabels labels = subject.labels();
    int[] truth = new int[data.rows().size()];
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < truth.length; i++) {
      Row row = data.rows().get(i);
      truth[i] = data.with(i, () -> label(row, labels));
      texts.add(((Row.Classified) row).text());
    }
    Averaging averaging = averaging(labels);
    int positive = positive(labels);
    List<Integer> predicted = new ArrayList<>();
    while (predicted.size() < texts.size()) {
      int end = Math.min(texts.size(), predicted.size() + reading.batchSize());
      predicted.addAll(subject.classify(texts.subList(predicted.size(), end)));
      progress.step(predicted.size(), texts.size(), "");
    }
    Confusions rows =
        new Confusions(
            truth, predicted.stream().mapToInt(Integer::intValue).toArray(), labels.count());
    return measurements(rows, tasks, averaging, positive, labels);
  }

  private List<Measurement> measurements(
      Confusions rows, Set<Task> tasks, Averaging averaging, int positive, ClassLabels labels) {
    List<Measurement> measurements = new ArrayList<>();
    if (tasks.contains(Task.ACCURACY)) {
      measurements.add(new Measurement(new Accuracy(), rows, "", "rows"));
    }
    if (tasks.contains(Task.F1)) {
      String signature = "average:" + averaging.name().toLowerCase(Locale.ROOT);
      if (averaging == Averaging.BINARY) {
        signature += "|pos_label:" + labels.names().get(positive);
      }
      for (FScore.Quantity quantity : FScore.Quantity.values()) {
        FScore metric = new FScore(quantity, averaging, positive, settings.zeroDivision());
        measurements.add(new Measurement(metric, rows, signature, "rows"));
      }
    }
    if (tasks.contains(Task.MCC)) {
      measurements.add(new Measurement(new MatthewsCorrelation(), rows, "", "rows"));
    }
    return measurements;
  }

  private Averaging averaging(ClassLabels labels) {
    if (settings.averaging() != null) {
      return settings.averaging();
    }
    return labels.count() == 2 ? Averaging.BINARY : Averaging.MACRO;
  }

  private int positive(ClassLabels labels) {
    if (settings.positive() == null) {
      return Math.min(1, labels.count() - 1);
    }
    int named = labels.names().indexOf(settings.positive());
    return named >= 0 ? named : number(settings.positive(), labels);
  }

  private static int number(String text, ClassLabels labels) {
    if (text.matches("[0-9]{1,6}") && Integer.parseInt(text) < labels.count()) {
      return Integer.parseInt(text);
    }
    throw unknown(text, labels);
  }

  private static int label(Row row, ClassLabels labels) {
    if (row instanceof Row.Classified classified && classified.textPair() == null) {
      Label label = classified.label();
      int index = label instanceof Label.Name named ? labels.names().indexOf(named.name()) : -1;
      if (label instanceof Label.Number number
          && number.integral()
          && number.value() >= 0
          && number.value() < labels.count()) {
        index = (int) number.value();
      }
      if (index < 0) {
        throw unknown(label instanceof Label.Name named ? named.name() : label.toString(), labels);
      }
      return index;
    }
    throw new EngineException(
        Reason.INVALID_ARGUMENT,
        "a row of shape "
            + row.getClass().getSimpleName()
            + " has no label; classifiers are measured on {text, label} rows");
  }

  private static EngineException unknown(String label, ClassLabels labels) {
    return new EngineException(
        Reason.INVALID_ARGUMENT,
        "the model has no label '"
            + label
            + "'; its labels are "
            + String.join(", ", labels.names())
            + ", or their numbers from 0");
  }
}
