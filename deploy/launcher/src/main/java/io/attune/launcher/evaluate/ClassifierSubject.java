package io.attune.launcher.evaluate;

import io.attune.engine.LoadedEncoderAdapter;
import io.attune.engine.TextEncoder;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.model.ProblemType;
import io.attune.engine.token.EncoderTokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An encoder that gives each text one of several classes. */
final class ClassifierSubject extends Subject {
  private final TextEncoder model;
  private final @Nullable LoadedEncoderAdapter adapter;
  private final EncoderTokenizer tokenizer;

  ClassifierSubject(TextEncoder model, @Nullable Path adapter, ReadingSettings settings) {
    super(model, settings);
    this.model = model;
    this.adapter = adapter == null ? null : model.loadAdapter(adapter);
    this.tokenizer = model.tokenizer(limit(model.maxTokens()));
  }

  @Override
  boolean classifies() {
    return true;
  }

  @Override
  ClassLabels labels() {
    EncoderTask task = adapter == null ? model.task() : adapter.task();
    if (task != EncoderTask.SEQ_CLS) {
      throw cannot("put texts into classes", "a model with a head for that, not " + task);
    }
    ClassLabels labels = adapter == null ? model.labels() : adapter.labels();
    if (labels.problemType() != ProblemType.SINGLE_LABEL_CLASSIFICATION) {
      throw cannot(
          "put each text into one class", "a single-label classifier, not " + labels.problemType());
    }
    return labels;
  }

  @Override
  List<Integer> classify(List<String> texts) {
    List<Integer> classes = new ArrayList<>();
    for (float[] logits :
        model.logits(texts.stream().map(tokenizer::encode).toList(), adapter, false)) {
      int best = 0;
      for (int k = 1; k < logits.length; k++) {
        best = logits[k] > logits[best] ? k : best;
      }
      classes.add(best);
    }
    return classes;
  }

  @Override
  public void close() {
    tokenizer.close();
    if (adapter != null) {
      adapter.close();
    }
  }
}
