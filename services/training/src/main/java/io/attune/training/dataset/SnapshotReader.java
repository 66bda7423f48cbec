package io.attune.training.dataset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads a snapshot file: JSON lines, one rating a line. */
public final class SnapshotReader {
  private static final ObjectMapper JSON = new ObjectMapper();

  private SnapshotReader() {}

  /**
   * Reads all ratings, in the file's order.
   *
   * @throws PlatformException CORRUPT, naming the line and the field, when a line is not a rating
   */
  public static List<SnapshotRating> read(Path file) {
    List<SnapshotRating> ratings = new ArrayList<>();
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      int number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        ratings.add(parse(line, number));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the snapshot " + file, e);
    }
    return ratings;
  }

  static SnapshotRating parse(String line, int number) {
    JsonNode json;
    try {
      json = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw corrupt(number, "it is not JSON");
    }
    String id = text(json, "rating_id", number);
    JsonNode prompt = json.path("prompt");
    if (!prompt.isTextual() && !prompt.isArray()) {
      throw corrupt(number, "`prompt` is neither text nor an array of turns");
    }
    List<String> completions = new ArrayList<>();
    for (JsonNode answer : json.path("answers")) {
      completions.add(text(answer, "completion", number));
    }
    if (completions.isEmpty()) {
      throw corrupt(number, "`answers` is missing or empty");
    }
    return new SnapshotRating(
        id,
        json.path("rater").asText(""),
        json.path("held_out").asBoolean(),
        prompt,
        List.copyOf(completions),
        feedback(json, completions.size(), number));
  }

  private static SnapshotRating.Feedback feedback(JsonNode json, int answers, int number) {
    if (json.hasNonNull("score")) {
      double score = json.get("score").asDouble(Double.NaN);
      if (!(score >= 0 && score <= 1)) {
        throw corrupt(number, "`score` is not a number from 0 to 1");
      }
      return new SnapshotRating.Score(score);
    }
    if (json.hasNonNull("thumb")) {
      String thumb = json.get("thumb").asText();
      if (!thumb.equals("up") && !thumb.equals("down")) {
        throw corrupt(number, "`thumb` is neither up nor down");
      }
      return new SnapshotRating.Thumb(thumb.equals("up"));
    }
    if (json.hasNonNull("choice")) {
      int chosen = json.get("choice").asInt(-1);
      if (chosen < 0 || chosen >= answers) {
        throw corrupt(number, "`choice` is not the place of an answer");
      }
      return new SnapshotRating.Choice(chosen);
    }
    if (json.hasNonNull("correction")) {
      return new SnapshotRating.Correction(text(json, "correction", number));
    }
    throw corrupt(number, "none of `score`, `thumb`, `choice` and `correction` is set");
  }

  private static String text(JsonNode json, String field, int number) {
    JsonNode value = json.path(field);
    if (!value.isTextual()) {
      throw corrupt(number, "`" + field + "` is missing or not text");
    }
    return value.asText();
  }

  private static PlatformException corrupt(int line, String what) {
    return new PlatformException(
        ErrorCode.ERROR_CODE_CORRUPT,
        "line " + line + " of the snapshot is not a rating: " + what + "; cut a new snapshot");
  }
}
