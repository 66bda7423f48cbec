package io.attune.engine.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads data sets: JSON lines, or one JSON array. */
public final class Rows {
  private static final long MAX_ARRAY_BYTES = 512L << 20;

  private Rows() {}

  /** Reads all rows; the first malformed one is an error that names file and line. */
  public static List<Row> read(Path path) {
    try {
      List<Row> rows = startsArray(path) ? array(path) : lines(path);
      if (rows.isEmpty()) {
        throw new EngineException(Reason.TOO_LITTLE_DATA, path + " has no rows");
      }
      return rows;
    } catch (MalformedInputException e) {
      throw new EngineException(Reason.CORRUPT, path + " is not UTF-8", e);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e, e);
    }
  }

  /** Parses one row; {@code where} names its origin in messages. */
  public static Row parse(String json, String where) {
    return new RowParser(JsonFiles.parse(json, where), where).parse();
  }

  private static boolean startsArray(Path path) throws IOException {
    try (BufferedReader reader = Files.newBufferedReader(path)) {
      for (int c = reader.read(); c >= 0; c = reader.read()) {
        if (!Character.isWhitespace(c) && c != '\uFEFF') {
          return c == '[';
        }
      }
      return false;
    }
  }

  private static List<Row> lines(Path path) throws IOException {
    List<Row> rows = new ArrayList<>();
    try (BufferedReader reader = Files.newBufferedReader(path)) {
      int number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        if (!line.isBlank()) {
          rows.add(parse(line, path + " line " + number));
        }
      }
    }
    return rows;
  }

  private static List<Row> array(Path path) throws IOException {
    if (Files.size(path) > MAX_ARRAY_BYTES) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          path + " is an array of more than 512 MiB; write one row a line instead");
    }
    List<Row> rows = new ArrayList<>();
    for (JsonNode row :
        JsonFiles.parse(Files.readString(path, StandardCharsets.UTF_8), path.toString())) {
      rows.add(new RowParser(row, path + " row " + (rows.size() + 1)).parse());
    }
    return rows;
  }
}
