package io.attune.engine.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Reads data sets row by row: JSON lines, one JSON array, text, or folders of such files.
 *
 * <p>A file whose name ends in {@code .txt}, {@code .text} or {@code .md} is text.
 */
public final class Rows {
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private Rows() {}

  /** Reads all rows; the first malformed one is an error that names file and line. */
  public static List<Row> read(Path path) {
    return read(path, RowFormat.DEFAULT);
  }

  /** As {@link #read(Path)}, of rows that are not in a shape of their own. */
  public static List<Row> read(Path path, RowFormat format) {
    return readWeighted(path, format).stream().map(WeightedRow::row).toList();
  }

  /** As {@link #read(Path, RowFormat)}, with how much each row counts. */
  public static List<WeightedRow> readWeighted(Path path, RowFormat format) {
    List<WeightedRow> rows = new ArrayList<>();
    forEach(path, format, rows::add);
    return rows;
  }

  /**
   * Hands over one row after the other and keeps none; of a folder those of its files in the order
   * of their names.
   */
  public static void forEach(Path path, RowFormat format, Consumer<WeightedRow> rows) {
    forEach(path, format, format::parse, rows);
  }

  /**
   * Prompts that a policy is to answer: {@code {prompt}} rows with any further keys, conversations,
   * or texts.
   */
  public static List<Row.Prompt> prompts(Path path, RowFormat format) {
    List<Row.Prompt> prompts = new ArrayList<>();
    forEach(
        path,
        format,
        (json, where) -> new WeightedRow(format.prompt(json, where), 1),
        weighted ->
            prompts.add(
                weighted.row() instanceof Row.PlainText text
                    ? new Row.Prompt(new Content.Text(text.text()), Map.of("text", text.text()))
                    : (Row.Prompt) weighted.row()));
    return prompts;
  }

  private static void forEach(
      Path path,
      RowFormat format,
      BiFunction<JsonNode, String, WeightedRow> parse,
      Consumer<WeightedRow> rows) {
    boolean[] any = new boolean[1];
    Consumer<WeightedRow> heard =
        row -> {
          any[0] = true;
          rows.accept(row);
        };
    for (Path file : files(path)) {
      readFile(file, format, parse, heard);
    }
    if (!any[0]) {
      throw new EngineException(Reason.TOO_LITTLE_DATA, path + " has no rows");
    }
  }

  /** The files of a data set, in order: the file itself, or all that the folder holds. */
  public static List<Path> files(Path path) {
    if (!Files.isDirectory(path)) {
      return List.of(path);
    }
    try (Stream<Path> found = Files.walk(path)) {
      List<Path> files =
          found
              .filter(file -> Files.isRegularFile(file) && !hidden(path.relativize(file)))
              .sorted()
              .toList();
      for (Path file : files) {
        if (!isText(file) && !named(file, ".json") && !named(file, ".jsonl")) {
          throw new EngineException(
              Reason.INVALID_ARGUMENT,
              file
                  + " is neither text (.txt, .text, .md) nor rows (.json, .jsonl); a folder of data"
                  + " holds nothing else");
        }
      }
      return files;
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot list " + path + ": " + e, e);
    }
  }

  private static boolean hidden(Path path) {
    for (Path part : path) {
      if (part.toString().startsWith(".")) {
        return true;
      }
    }
    return false;
  }

  static boolean isText(Path file) {
    return named(file, ".txt") || named(file, ".text") || named(file, ".md");
  }

  private static boolean named(Path file, String ending) {
    return file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(ending);
  }

  /** Parses one row; {@code where} names its origin in messages. */
  public static Row parse(String json, String where) {
    return RowFormat.DEFAULT.parse(JsonFiles.parse(json, where), where).row();
  }

  /**
   * @param parse reads a row of JSON
   */
  private static void readFile(
      Path path,
      RowFormat format,
      BiFunction<JsonNode, String, WeightedRow> parse,
      Consumer<WeightedRow> rows) {
    try (BufferedReader reader = Files.newBufferedReader(path)) {
      if (isText(path)) {
        skipByteOrderMark(reader);
        new TextParser(format.sampleBy(), row -> rows.accept(new WeightedRow(row, 1))).read(reader);
      } else if (startsArray(path)) {
        array(path, reader, parse, rows);
      } else {
        lines(path, reader, parse, rows);
      }
    } catch (MalformedInputException e) {
      throw new EngineException(Reason.CORRUPT, path + " is not UTF-8", e);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e, e);
    }
  }

  private static void skipByteOrderMark(BufferedReader reader) throws IOException {
    reader.mark(1);
    if (reader.read() != BYTE_ORDER_MARK) {
      reader.reset();
    }
  }

  private static boolean startsArray(Path path) throws IOException {
    try (BufferedReader reader = Files.newBufferedReader(path)) {
      for (int c = reader.read(); c >= 0; c = reader.read()) {
        if (!Character.isWhitespace(c) && c != BYTE_ORDER_MARK) {
          return c == '[';
        }
      }
      return false;
    }
  }

  private static void lines(
      Path path,
      BufferedReader reader,
      BiFunction<JsonNode, String, WeightedRow> parse,
      Consumer<WeightedRow> rows)
      throws IOException {
    skipByteOrderMark(reader);
    int number = 0;
    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
      number++;
      if (!line.isBlank()) {
        String where = path + " line " + number;
        rows.accept(parse.apply(JsonFiles.parse(line, where), where));
      }
    }
  }

  private static void array(
      Path path,
      BufferedReader reader,
      BiFunction<JsonNode, String, WeightedRow> parse,
      Consumer<WeightedRow> rows)
      throws IOException {
    skipByteOrderMark(reader);
    int number = 0;
    try (JsonParser parser = JsonFiles.parser(reader)) {
      parser.nextToken();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        JsonNode row = parser.readValueAsTree();
        rows.accept(parse.apply(row, path + " row " + ++number));
      }
      if (parser.nextToken() != null) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT, path + ": something follows the array of rows");
      }
    } catch (JsonProcessingException e) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          path + " row " + (number + 1) + ": not valid JSON: " + e.getOriginalMessage(),
          e);
    }
  }
}
