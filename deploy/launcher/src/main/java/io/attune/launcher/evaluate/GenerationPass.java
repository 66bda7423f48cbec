package io.attune.launcher.evaluate;

import io.attune.engine.data.Examples;
import io.attune.engine.data.Row;
import io.attune.engine.evaluate.Statistics;
import io.attune.engine.evaluate.TextMetric;
import io.attune.launcher.local.Progress;
import java.util.ArrayList;
import java.util.List;

/** How near a model's answers come to the right ones. */
final class GenerationPass {
  private final WritingSettings writing;
  private final List<TextMetric> metrics;
  private final Progress progress;

  GenerationPass(WritingSettings writing, List<TextMetric> metrics, Progress progress) {
    this.writing = writing;
    this.metrics = metrics;
    this.progress = progress;
  }

  /** The right answer of each row. */
  static List<String> references(EvaluationData data) {
    List<String> references = new ArrayList<>();
    for (int i = 0; i < data.rows().size(); i++) {
      Row row = data.rows().get(i);
      references.add(data.with(i, () -> Examples.answer(row)).strip());
    }
    return references;
  }

  /** What the model answers to each row. */
  List<String> write(Subject subject, EvaluationData data) {
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < data.rows().size(); i++) {
      Row row = data.rows().get(i);
      prompts.add(data.with(i, () -> subject.prompt(row)));
    }
    return subject.write(prompts, writing, done -> progress.step(done, prompts.size(), "")).stream()
        .map(String::strip)
        .toList();
  }

  /**
   * White space around an answer belongs to the format of prompts; it was stripped on both sides.
   */
  List<Measurement> measure(List<String> written, List<String> references) {
    List<Measurement> measurements = new ArrayList<>();
    for (TextMetric metric : metrics) {
      List<double[]> rows = new ArrayList<>();
      for (int i = 0; i < written.size(); i++) {
        rows.add(metric.statistics(written.get(i), List.of(references.get(i))));
      }
      String signature = metric.signature();
      measurements.add(
          new Measurement(
              metric,
              Statistics.of(rows),
              signature.isEmpty() ? "" : "nrefs:1|" + signature,
              "rows"));
    }
    return measurements;
  }
}
