package io.attune.launcher.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.LoadedEncoderAdapter;
import io.attune.engine.TextEncoder;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.model.ProblemType;
import io.attune.engine.token.TokenizedText;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What an encoder says: logits [rows, labels] of a classifier of texts, [rows, tokens, labels] of a
 * classifier of tokens, and embeddings [rows, size] of a model without a head.
 */
final class TextEncoderLogits implements LogitsPass {
  private final TextEncoder model;
  private final LoadedEncoderAdapter adapter;
  private final boolean merged;

  TextEncoderLogits(TextEncoder model, Path adapter, boolean merged) {
    this.model = model;
    this.adapter = adapter == null ? null : model.loadAdapter(adapter);
    this.merged = merged;
  }

  @Override
  public LogitsResult run(LogitsInput input) {
    List<int[]> ids = input.sequences(model.config().vocabSize());
    List<int[]> segments =
        input.has("token_type_ids") ? input.unpadded(input.matrix("token_type_ids")) : null;
    List<TokenizedText> texts = new ArrayList<>();
    for (int row = 0; row < ids.size(); row++) {
      texts.add(
          segments == null
              ? TokenizedText.of(ids.get(row))
              : new TokenizedText(ids.get(row), segments.get(row)));
    }
    EncoderTask task = adapter == null ? model.task() : adapter.task();
    switch (task) {
      case FEATURE_EXTRACTION:
        List<float[]> vectors = model.embeddings(texts, adapter, merged);
        return result("embeddings", vectors, OptionalDouble.empty(), model.embeddingSize());
      case SEQ_CLS:
        List<float[]> rows = model.logits(texts, adapter, merged);
        return result("logits", rows, textLoss(input, rows), labels());
      default:
        List<float[]> tokens = model.logits(texts, adapter, merged);
        OptionalDouble loss = tokenLoss(input, tokens);
        return result("logits", tokens, loss, input.width(), labels());
    }
  }

  private ClassLabels classes() {
    return adapter == null ? model.labels() : adapter.labels();
  }

  private int labels() {
    return classes().count();
  }

  /** Prints, as a line of JSON for each text, its label, its tokens' labels, or its embedding. */
  @Override
  public void print(List<String> texts, PrintStream out) {
    EncoderTask task = adapter == null ? model.task() : adapter.task();
    EncoderReport report = new EncoderReport(classes(), model.tokenizer());
    for (String text : texts) {
      ObjectNode line = JsonFiles.newObject().put("text", text);
      if (task == EncoderTask.FEATURE_EXTRACTION) {
        TokenizedText tokens = model.tokenizeForEmbedding(text);
        report.addEmbedding(line, model.embeddings(List.of(tokens), adapter, merged).get(0));
      } else {
        TokenizedText tokens = model.tokenize(text);
        float[] logits = model.logits(List.of(tokens), adapter, merged).get(0);
        if (task == EncoderTask.SEQ_CLS) {
          report.addText(line, logits);
        } else {
          report.addTokens(line, tokens, logits);
        }
      }
      out.println(line);
    }
  }

  private static LogitsResult result(
      String name, List<float[]> rows, OptionalDouble loss, long... rowShape) {
    int width = (int) Arrays.stream(rowShape).reduce(1, Math::multiplyExact);
    long[] shape = new long[rowShape.length + 1];
    shape[0] = rows.size();
    System.arraycopy(rowShape, 0, shape, 1, rowShape.length);
    float[] values = new float[Math.multiplyExact(rows.size(), width)];
    for (int row = 0; row < rows.size(); row++) {
      System.arraycopy(rows.get(row), 0, values, row * width, rows.get(row).length);
    }
    return new LogitsResult(name, shape, values, loss);
  }

  /** By what the labels are: class indices, values, or a 0 or 1 for each label. */
  private OptionalDouble textLoss(LogitsInput input, List<float[]> rows) {
    if (!input.has("labels")) {
      return OptionalDouble.empty();
    }
    double[][] labels = input.numbers("labels");
    if (labels.length != rows.size()) {
      throw input.refused("'labels' has " + labels.length + " rows, not " + rows.size());
    }
    ProblemType type = classes().problemType();
    boolean each = type != ProblemType.SINGLE_LABEL_CLASSIFICATION || labels[0].length > 1;
    int wanted = each ? labels() : 1;
    CrossEntropy classes = new CrossEntropy();
    double sum = 0;
    for (int row = 0; row < labels.length; row++) {
      if (labels[row].length != wanted) {
        throw input.refused(
            "labels[" + row + "] has " + labels[row].length + " numbers, not " + wanted);
      }
      for (int i = 0; each && i < wanted; i++) {
        double x = rows.get(row)[i];
        double y = labels[row][i];
        sum +=
            type == ProblemType.REGRESSION
                ? (x - y) * (x - y)
                : Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)));
      }
      if (!each) {
        classes.add(rows.get(row), 0, labels(), label(input, labels[row][0], row, 0));
      }
    }
    return OptionalDouble.of(each ? sum / ((long) wanted * labels.length) : classes.mean());
  }

  private OptionalDouble tokenLoss(LogitsInput input, List<float[]> rows) {
    if (!input.has("labels")) {
      return OptionalDouble.empty();
    }
    int[][] labels = input.matrix("labels");
    if (labels.length != rows.size()) {
      throw input.refused("'labels' has " + labels.length + " rows, not " + rows.size());
    }
    CrossEntropy loss = new CrossEntropy();
    for (int row = 0; row < labels.length; row++) {
      for (int t = 0; t < labels[row].length; t++) {
        if (labels[row][t] == LogitsInput.IGNORED) {
          continue;
        }
        if (t * labels() >= rows.get(row).length) {
          throw input.refused("labels[" + row + "][" + t + "] labels no token");
        }
        loss.add(rows.get(row), t * labels(), labels(), label(input, labels[row][t], row, t));
      }
    }
    return OptionalDouble.of(loss.mean());
  }

  private int label(LogitsInput input, double label, int row, int place) {
    if (label != Math.rint(label) || label < 0 || label >= labels()) {
      throw input.refused(
          "labels[%d], place %d, is %s; the model has labels 0 to %d"
              .formatted(row, place, label, labels() - 1));
    }
    return (int) label;
  }

  @Override
  public void close() {
    if (adapter != null) {
      adapter.close();
    }
  }
}
