package io.attune.launcher.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The file that {@code attune logits} reads: a batch as the reference's models take it, each key a
 * list of rows. Which keys there are to read is for the kind of model to say.
 */
final class LogitsInput {
  /** The label of what is not to be counted. */
  static final int IGNORED = -100;

  private static final long MAX_BYTES = 64L << 20;

  private final Path file;
  private final ObjectNode json;
  private final Set<String> read = new HashSet<>();

  private LogitsInput(Path file, ObjectNode json) {
    this.file = file;
    this.json = json;
  }

  static LogitsInput read(Path file) {
    return new LogitsInput(file, JsonFiles.readObject(file, MAX_BYTES));
  }

  boolean has(String key) {
    read.add(key);
    return json.hasNonNull(key);
  }

  /** Columns of {@code input_ids}, padding included. */
  int width() {
    return matrix("input_ids")[0].length;
  }

  /** The rows of {@code input_ids} without what {@code attention_mask} hides at their ends. */
  List<int[]> sequences(int vocabulary) {
    return unpadded(tokens("input_ids", vocabulary));
  }

  /** The rows of a key that has a value for each token, cut as {@link #sequences} are. */
  List<int[]> unpadded(int[][] rows) {
    int[][] mask = has("attention_mask") ? matrix("attention_mask") : null;
    if (mask != null && mask.length != rows.length) {
      throw refused("'attention_mask' has " + mask.length + " rows, not " + rows.length);
    }
    List<int[]> result = new ArrayList<>();
    for (int row = 0; row < rows.length; row++) {
      result.add(mask == null ? rows[row] : unpadded(rows[row], mask[row], row));
    }
    return result;
  }

  private int[] unpadded(int[] values, int[] mask, int row) {
    int length = 0;
    while (length < mask.length && mask[length] == 1) {
      length++;
    }
    for (int t = length; t < mask.length; t++) {
      if (mask[t] != 0) {
        throw refused("attention_mask[" + row + "] must be ones, then zeros (padding at the end)");
      }
    }
    if (mask.length != values.length || length == 0) {
      throw refused("attention_mask[" + row + "] does not fit input_ids[" + row + "]");
    }
    return Arrays.copyOf(values, length);
  }

  /** Rows of token ids, all of the vocabulary. */
  int[][] tokens(String key, int vocabulary) {
    int[][] ids = matrix(key);
    for (int[] row : ids) {
      for (int id : row) {
        if (id < 0 || id >= vocabulary) {
          throw refused(key + " has " + id + "; the vocabulary has " + vocabulary + " tokens");
        }
      }
    }
    return ids;
  }

  /** Rows of whole numbers, all equally long. */
  int[][] matrix(String key) {
    JsonNode rows = has(key) ? json.get(key) : null;
    if (rows == null || !rows.isArray() || rows.isEmpty()) {
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

  /** Says on standard error which keys nobody read. */
  void warnOfUnread() {
    json.fieldNames()
        .forEachRemaining(
            key -> {
              if (!read.contains(key)) {
                System.err.println(file + ": ignored key '" + key + "'");
              }
            });
  }

  EngineException refused(String what) {
    return new EngineException(Reason.INVALID_ARGUMENT, file + ": " + what);
  }
}
