package io.attune.launcher.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.Row;
import io.attune.engine.data.Rows;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/**
 * What is measured on: rows, or one long text.
 *
 * @param rows empty where there is a text
 * @param text empty where there are rows
 */
public record EvaluationData(Path file, List<Row> rows, String text) {
  private static final long MAX_TEXT_BYTES = 64L << 20;

  /** Reads rows, or the whole text of a file whose name ends in {@code .txt}. */
  public static EvaluationData read(Path file) {
    return file.toString().endsWith(".txt")
        ? new EvaluationData(file, List.of(), readText(file))
        : new EvaluationData(file, Rows.read(file), "");
  }

  boolean isText() {
    return rows.isEmpty();
  }

  /** Does something with a row; what is wrong with it is said with file and row. */
  <T> T with(int row, Supplier<T> work) {
    try {
      return work.get();
    } catch (EngineException e) {
      throw new EngineException(e.reason(), file + " row " + (row + 1) + ": " + e.getMessage(), e);
    }
  }

  private static String readText(Path file) {
    try {
      if (Files.size(file) > MAX_TEXT_BYTES) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT, file + " exceeds 64 MiB; measure a part of it");
      }
      String text = Files.readString(file);
      if (text.isBlank()) {
        throw new EngineException(Reason.TOO_LITTLE_DATA, file + " has no text");
      }
      return text;
    } catch (MalformedInputException e) {
      throw new EngineException(Reason.CORRUPT, file + " is not UTF-8", e);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
