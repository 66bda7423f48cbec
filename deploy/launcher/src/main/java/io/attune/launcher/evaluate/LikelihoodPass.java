package io.attune.launcher.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.Row;
import io.attune.engine.data.SftExample;
import io.attune.engine.evaluate.Likelihood;
import io.attune.engine.evaluate.Metric;
import io.attune.engine.evaluate.Statistics;
import io.attune.engine.objective.Reading;
import io.attune.launcher.local.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** How likely a model finds rows or a text: perplexity, loss, and the accuracy of its tokens. */
final class LikelihoodPass {
  private final ReadingSettings settings;
  private final Progress progress;

  LikelihoodPass(ReadingSettings settings, Progress progress) {
    this.settings = settings;
    this.progress = progress;
  }

  List<Measurement> measure(Subject subject, EvaluationData data, Set<Task> tasks) {
    if (!data.isText() && data.rows().get(0) instanceof Row.Preference) {
      if (tasks.contains(Task.PERPLEXITY)) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT,
            data.file() + " row 1: perplexity needs rows of text, not preferences");
      }
      Statistics pairs = Statistics.of(pairs(subject, data));
      return List.of(new Measurement(Likelihood.PREFERENCE_ACCURACY, pairs, "", "pairs"));
    }
    Statistics texts = texts(subject, data);
    String unit = data.isText() ? "windows" : "rows";
    List<Measurement> measurements = new ArrayList<>();
    for (Metric metric : List.of(Likelihood.LOSS, Likelihood.PERPLEXITY)) {
      if (tasks.contains(Task.PERPLEXITY)) {
        measurements.add(new Measurement(metric, texts, signature(subject, data), unit));
      }
    }
    if (tasks.contains(Task.ACCURACY)) {
      measurements.add(
          new Measurement(Likelihood.TOKEN_ACCURACY, texts, signature(subject, data), unit));
    }
    return measurements;
  }

  /** Statistics of all rows, or of the windows of a text. */
  Statistics texts(Subject subject, EvaluationData data) {
    List<Passage> passages = new ArrayList<>();
    if (data.isText()) {
      int[] ids = subject.tokens(data.text());
      for (SftExample window : Likelihood.windows(ids, window(subject), stride(subject))) {
        passages.add(Passage.of(window));
      }
    } else {
      for (int i = 0; i < data.rows().size(); i++) {
        Row row = data.rows().get(i);
        Optional<Passage> passage = data.with(i, () -> subject.passage(row));
        passage.ifPresent(passages::add);
      }
    }
    List<double[]> statistics =
        read(subject, passages).stream()
            .map(Likelihood::statistics)
            .filter(values -> values[2] > 0)
            .toList();
    if (statistics.isEmpty()) {
      throw nothing(data);
    }
    return Statistics.of(statistics);
  }

  private List<double[]> pairs(Subject subject, EvaluationData data) {
    List<Passage> passages = new ArrayList<>();
    for (int i = 0; i < data.rows().size(); i++) {
      Row row = data.rows().get(i);
      data.with(i, () -> subject.answers(row)).ifPresent(passages::addAll);
    }
    if (passages.isEmpty()) {
      throw nothing(data);
    }
    List<Reading> readings = read(subject, passages);
    List<double[]> pairs = new ArrayList<>();
    for (int i = 0; i < readings.size(); i += 2) {
      pairs.add(Likelihood.preference(readings.get(i), readings.get(i + 1)));
    }
    return pairs;
  }

  private List<Reading> read(Subject subject, List<Passage> passages) {
    List<Reading> readings = new ArrayList<>();
    while (readings.size() < passages.size()) {
      int end = Math.min(passages.size(), readings.size() + settings.batchSize());
      readings.addAll(subject.read(passages.subList(readings.size(), end)));
      progress.step(readings.size(), passages.size(), "");
    }
    return readings;
  }

  private String signature(Subject subject, EvaluationData data) {
    return data.isText() ? "window:" + window(subject) + "|stride:" + stride(subject) : "";
  }

  private int window(Subject subject) {
    return subject.window();
  }

  private int stride(Subject subject) {
    return settings.stride() == 0 ? Math.max(1, window(subject) / 2) : settings.stride();
  }

  private static EngineException nothing(EvaluationData data) {
    return new EngineException(
        Reason.TOO_LITTLE_DATA, data.file() + " has nothing to predict within the maximum length");
  }
}
