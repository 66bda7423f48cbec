package io.attune.launcher.command;

import io.attune.engine.LanguageModel;
import io.attune.engine.LoadedAdapter;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Logits [rows, tokens, vocabulary] of a decoder-only model; labels are the tokens themselves, each
 * predicted from the one before it, the first from an adapter's prompt. The virtual tokens of that
 * prompt come before each row's tokens.
 */
final class LanguageModelLogits implements LogitsPass {
  private final LanguageModel model;
  private final LoadedAdapter adapter;
  private final boolean merged;

  LanguageModelLogits(LanguageModel model, Path adapter, boolean merged) {
    this.model = model;
    this.adapter = adapter == null ? null : model.loadAdapter(adapter);
    this.merged = merged;
  }

  @Override
  public LogitsResult run(LogitsInput input) {
    int vocabulary = model.config().vocabSize();
    List<int[]> sequences = input.sequences(vocabulary);
    List<float[]> rows =
        adapter == null
            ? model.logits(sequences, null, merged)
            : model.promptedLogits(sequences, adapter, merged);
    int prompt = adapter == null ? 0 : adapter.promptLength();
    int width = prompt + input.width();
    float[] logits = new float[Math.multiplyExact(rows.size(), width * vocabulary)];
    for (int row = 0; row < rows.size(); row++) {
      float[] values = rows.get(row);
      System.arraycopy(values, 0, logits, row * width * vocabulary, values.length);
    }
    return new LogitsResult(
        new long[] {rows.size(), width, vocabulary},
        logits,
        input.has("labels")
            ? OptionalDouble.of(loss(rows, input, prompt, vocabulary))
            : OptionalDouble.empty());
  }

  private static double loss(List<float[]> rows, LogitsInput input, int prompt, int vocabulary) {
    int[][] labels = input.matrix("labels");
    if (labels.length != rows.size()) {
      throw input.refused("'labels' has " + labels.length + " rows, not " + rows.size());
    }
    CrossEntropy loss = new CrossEntropy();
    for (int row = 0; row < rows.size(); row++) {
      int tokens = rows.get(row).length / vocabulary - prompt;
      for (int t = prompt > 0 ? 0 : 1; t < labels[row].length; t++) {
        int label = labels[row][t];
        if (label == LogitsInput.IGNORED) {
          continue;
        }
        if (t >= tokens || label < 0 || label >= vocabulary) {
          throw input.refused("labels[" + row + "][" + t + "] = " + label + " labels no token");
        }
        loss.add(rows.get(row), (prompt + t - 1) * vocabulary, vocabulary, label);
      }
    }
    return loss.mean();
  }

  @Override
  public void close() {
    if (adapter != null) {
      adapter.close();
    }
  }
}
