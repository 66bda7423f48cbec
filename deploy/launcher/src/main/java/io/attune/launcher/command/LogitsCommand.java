package io.attune.launcher.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadedAdapter;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code attune logits}. */
@Command(
    name = "logits",
    description = "Writes a model's logits for given token ids.",
    mixinStandardHelpOptions = true)
public final class LogitsCommand implements Callable<Integer> {
  private static final long MAX_INPUT_BYTES = 64L << 20;
  private static final int IGNORED = -100;

  @Mixin private ModelOptions model;

  @Option(names = "--merged", description = "Fold the adapter into the weights first.")
  private boolean merged;

  @Option(
      names = "--input",
      paramLabel = "FILE.json",
      required = true,
      description = "{\"input_ids\": [[...]], \"attention_mask\": [[...]], \"labels\": [[...]]}")
  private Path input;

  @Option(
      names = "--out",
      paramLabel = "FILE.safetensors",
      required = true,
      description =
          "Gets tensor logits, [rows, tokens, vocabulary], and loss where there are labels; the"
              + " virtual tokens of an adapter's prompt come before each row's tokens.")
  private Path out;

  @Override
  public Integer call() {
    ObjectNode json = JsonFiles.readObject(input, MAX_INPUT_BYTES);
    json.fieldNames()
        .forEachRemaining(
            key -> {
              if (!Set.of("input_ids", "attention_mask", "labels").contains(key)) {
                System.err.println(input + ": ignored key '" + key + "'");
              }
            });
    int[][] ids = matrix(json, "input_ids");
    int[][] mask = json.has("attention_mask") ? matrix(json, "attention_mask") : null;
    List<int[]> sequences = new ArrayList<>();
    for (int row = 0; row < ids.length; row++) {
      sequences.add(mask == null ? ids[row] : unpadded(ids[row], mask[row], row));
    }
    try (LanguageModel base = model.load();
        LoadedAdapter adapter = model.loadAdapter(base)) {
      checkIds(ids, base.config().vocabSize());
      List<float[]> rows =
          adapter == null
              ? base.logits(sequences, null, merged)
              : base.promptedLogits(sequences, adapter, merged);
      int prompt = adapter == null ? 0 : adapter.promptLength();
      int vocabulary = base.config().vocabSize();
      int width = prompt + ids[0].length;
      float[] logits = new float[ids.length * width * vocabulary];
      for (int row = 0; row < rows.size(); row++) {
        float[] values = rows.get(row);
        System.arraycopy(values, 0, logits, row * width * vocabulary, values.length);
      }
      List<TensorData> tensors = new ArrayList<>();
      tensors.add(TensorData.of("logits", new long[] {ids.length, width, vocabulary}, logits));
      if (json.has("labels")) {
        double loss = loss(rows, matrix(json, "labels"), prompt, vocabulary);
        tensors.add(TensorData.of("loss", new long[0], new float[] {(float) loss}));
        System.out.println("loss " + loss);
      }
      SafeTensorsWriter.write(out, tensors, SafeTensorsWriter.PYTORCH);
    }
    System.out.println("wrote " + out);
    return 0;
  }

  /**
   * Mean over the labelled tokens of all rows; a label is predicted from the token before it, that
   * of the first token from an adapter's prompt.
   */
  private double loss(List<float[]> rows, int[][] labels, int prompt, int vocabulary) {
    double sum = 0;
    long count = 0;
    for (int row = 0; row < rows.size(); row++) {
      int tokens = rows.get(row).length / vocabulary - prompt;
      for (int t = prompt > 0 ? 0 : 1; t < labels[row].length; t++) {
        int label = labels[row][t];
        if (label == IGNORED) {
          continue;
        }
        if (t >= tokens || label < 0 || label >= vocabulary) {
          throw refused("labels[" + row + "][" + t + "] = " + label + " labels no token");
        }
        sum -= logProbability(rows.get(row), (prompt + t - 1) * vocabulary, vocabulary, label);
        count++;
      }
    }
    return sum / count;
  }

  private static double logProbability(float[] logits, int offset, int vocabulary, int token) {
    double max = Double.NEGATIVE_INFINITY;
    for (int v = 0; v < vocabulary; v++) {
      max = Math.max(max, logits[offset + v]);
    }
    double sum = 0;
    for (int v = 0; v < vocabulary; v++) {
      sum += Math.exp(logits[offset + v] - max);
    }
    return logits[offset + token] - max - Math.log(sum);
  }

  /** The ids before the padding; logits of padding are written as zeros. */
  private int[] unpadded(int[] ids, int[] mask, int row) {
    int length = 0;
    while (length < mask.length && mask[length] == 1) {
      length++;
    }
    for (int t = length; t < mask.length; t++) {
      if (mask[t] != 0) {
        throw refused("attention_mask[" + row + "] must be ones, then zeros (padding at the end)");
      }
    }
    if (mask.length != ids.length || length == 0) {
      throw refused("attention_mask[" + row + "] does not fit input_ids[" + row + "]");
    }
    return java.util.Arrays.copyOf(ids, length);
  }

  private void checkIds(int[][] ids, int vocabulary) {
    for (int[] row : ids) {
      for (int id : row) {
        if (id < 0 || id >= vocabulary) {
          throw refused("input_ids has " + id + "; the vocabulary has " + vocabulary + " tokens");
        }
      }
    }
  }

  private int[][] matrix(ObjectNode json, String key) {
    JsonNode rows = json.path(key);
    if (!rows.isArray() || rows.isEmpty()) {
      throw refused("'" + key + "' is not a list of lists of numbers");
    }
    int[][] matrix = new int[rows.size()][];
    for (int row = 0; row < matrix.length; row++) {
      JsonNode values = rows.get(row);
      matrix[row] = new int[values.size()];
      for (int i = 0; i < matrix[row].length; i++) {
        if (!values.get(i).isInt()) {
          throw refused(key + "[" + row + "][" + i + "] is not a whole number");
        }
        matrix[row][i] = values.get(i).intValue();
      }
      if (matrix[row].length == 0 || matrix[row].length != matrix[0].length) {
        throw refused("the rows of '" + key + "' are empty or differ in length");
      }
    }
    return matrix;
  }

  private EngineException refused(String what) {
    return new EngineException(Reason.INVALID_ARGUMENT, input + ": " + what);
  }
}
