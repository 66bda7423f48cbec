package io.attune.launcher.command;

import io.attune.engine.LoadedSequenceAdapter;
import io.attune.engine.SequenceToSequence;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Logits [rows, labels, vocabulary] of an encoder-decoder's decoder, which reads the labels shifted
 * by one, or {@code decoder_input_ids} where those are given.
 */
final class SequenceToSequenceLogits implements LogitsPass {
  private final SequenceToSequence model;
  private final LoadedSequenceAdapter adapter;
  private final boolean merged;

  SequenceToSequenceLogits(SequenceToSequence model, Path adapter, boolean merged) {
    this.model = model;
    this.adapter = adapter == null ? null : model.loadAdapter(adapter);
    this.merged = merged;
  }

  @Override
  public LogitsResult run(LogitsInput input) {
    int vocabulary = model.config().vocabSize();
    List<int[]> sources = input.sequences(vocabulary);
    int[][] targets = targets(input, vocabulary);
    if (targets.length != sources.size()) {
      throw input.refused(
          "'input_ids' has " + sources.size() + " rows, the targets have " + targets.length);
    }
    List<float[]> rows = model.logits(sources, List.of(targets), adapter, merged);
    int width = targets[0].length * vocabulary;
    float[] logits = new float[Math.multiplyExact(rows.size(), width)];
    for (int row = 0; row < rows.size(); row++) {
      System.arraycopy(rows.get(row), 0, logits, row * width, width);
    }
    return new LogitsResult(
        new long[] {rows.size(), targets[0].length, vocabulary},
        logits,
        input.has("labels")
            ? OptionalDouble.of(loss(rows, input, vocabulary))
            : OptionalDouble.empty());
  }

  private int[][] targets(LogitsInput input, int vocabulary) {
    if (input.has("decoder_input_ids")) {
      return input.tokens("decoder_input_ids", vocabulary);
    }
    if (!input.has("labels")) {
      throw input.refused("an encoder-decoder needs 'labels' or 'decoder_input_ids'");
    }
    int[][] labels = input.matrix("labels");
    for (int[] row : labels) {
      for (int label : row) {
        if (label != LogitsInput.IGNORED && (label < 0 || label >= vocabulary)) {
          throw input.refused(
              "labels has " + label + "; the vocabulary has " + vocabulary + " tokens");
        }
      }
    }
    return Arrays.stream(labels).map(model::decoderInputs).toArray(int[][]::new);
  }

  private static double loss(List<float[]> rows, LogitsInput input, int vocabulary) {
    int[][] labels = input.matrix("labels");
    CrossEntropy loss = new CrossEntropy();
    for (int row = 0; row < rows.size(); row++) {
      int tokens = rows.get(row).length / vocabulary;
      for (int t = 0; t < labels[row].length; t++) {
        int label = labels[row][t];
        if (label == LogitsInput.IGNORED) {
          continue;
        }
        if (t >= tokens || label < 0 || label >= vocabulary) {
          throw input.refused("labels[" + row + "][" + t + "] = " + label + " labels no token");
        }
        loss.add(rows.get(row), t * vocabulary, vocabulary, label);
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
