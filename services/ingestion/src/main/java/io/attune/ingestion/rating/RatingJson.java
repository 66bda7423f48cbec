package io.attune.ingestion.rating;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.google.protobuf.Timestamp;
import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.Choice;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.Thumb;
import io.attune.platform.error.PlatformException;
import java.io.IOException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.regex.Pattern;

/**
 * Reads a rating from JSON, strictly: an unknown or repeated field is an error and not a rating
 * that means less than its sender thinks. A field that is null counts as absent.
 */
final class RatingJson {

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          // What is read may hold user text, which must not come up in an exception.
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(4)
                  .maxNumberLength(100)
                  .maxNameLength(100)
                  .maxStringLength(RatingReader.MAX_RECORD_BYTES)
                  .build())
          .build();

  private static final Pattern SHOWABLE = Pattern.compile("[A-Za-z_]{1,40}");

  private RatingJson() {}

  /**
   * @throws PlatformException MALFORMED, with the place, or INVALID_ARGUMENT, with the field
   */
  static Rating parse(byte[] json) {
    try (JsonParser parser = JSON.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw malformed(parser, "a JSON object is expected");
      }
      Rating.Builder rating = Rating.newBuilder();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String field = parser.currentName();
        if (parser.nextToken() != JsonToken.VALUE_NULL) {
          read(parser, field, rating);
        }
      }
      if (parser.nextToken() != null) {
        throw malformed(parser, "one JSON object is expected, and more follows");
      }
      return rating.build();
    } catch (com.fasterxml.jackson.core.JsonProcessingException broken) {
      var at = broken.getLocation();
      throw new PlatformException(
          ErrorCode.ERROR_CODE_MALFORMED,
          at == null
              ? "This is not JSON."
              : "This is not JSON that is taken: reading stopped at byte %d."
                  .formatted(Math.max(at.getByteOffset(), 0)));
    } catch (IOException impossible) {
      // Also what Jackson throws for bytes that are no UTF-8.
      throw new PlatformException(ErrorCode.ERROR_CODE_MALFORMED, "This is not UTF-8.");
    }
  }

  private static void read(JsonParser parser, String field, Rating.Builder rating)
      throws IOException {
    switch (field) {
      case "id" -> rating.setId(text(parser, field));
      case "rater" -> rating.setRater(text(parser, field));
      case "conversation_id" -> rating.setConversationId(text(parser, field));
      case "dataset" -> rating.setDataset(text(parser, field));
      case "rated_time" -> rating.setRatedTime(time(text(parser, field)));
      case "generation_id" -> rating.setGenerationId(text(parser, field));
      case "completion" -> rating.setCompletion(text(parser, field));
      case "prompt" -> rating.setPrompt(text(parser, field));
      case "score" -> {
        onlyFeedback(rating, field);
        rating.setScore(number(parser, field));
      }
      case "thumb" -> {
        onlyFeedback(rating, field);
        rating.setThumb(thumb(text(parser, field)));
      }
      case "choice" -> {
        onlyFeedback(rating, field);
        rating.setChoice(choice(parser));
      }
      case "correction" -> {
        onlyFeedback(rating, field);
        rating.setCorrection(text(parser, field));
      }
      default -> throw unknown(parser, "", field);
    }
  }

  private static Choice choice(JsonParser parser) throws IOException {
    if (!parser.hasToken(JsonToken.START_OBJECT)) {
      throw TextRules.invalid("choice must be an object");
    }
    Choice.Builder choice = Choice.newBuilder();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String field = parser.currentName();
      if (parser.nextToken() == JsonToken.VALUE_NULL) {
        continue;
      }
      switch (field) {
        case "generation_ids" -> texts(parser, "choice.generation_ids", choice::addGenerationIds);
        case "completions" -> texts(parser, "choice.completions", choice::addCompletions);
        case "chosen" -> {
          if (!parser.hasToken(JsonToken.VALUE_NUMBER_INT)) {
            throw TextRules.invalid("choice.chosen must be a whole number");
          }
          choice.setChosen(parser.getIntValue());
        }
        default -> throw unknown(parser, "choice.", field);
      }
    }
    return choice.build();
  }

  private static void texts(
      JsonParser parser, String field, java.util.function.Consumer<String> into)
      throws IOException {
    if (!parser.hasToken(JsonToken.START_ARRAY)) {
      throw TextRules.invalid(field + " must be a list of texts");
    }
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      into.accept(text(parser, field));
    }
  }

  private static String text(JsonParser parser, String field) throws IOException {
    if (!parser.hasToken(JsonToken.VALUE_STRING)) {
      throw TextRules.invalid(field + " must be a text");
    }
    return parser.getText();
  }

  private static double number(JsonParser parser, String field) throws IOException {
    if (!parser.currentToken().isNumeric()) {
      throw TextRules.invalid(field + " must be a number");
    }
    return parser.getDoubleValue();
  }

  private static Thumb thumb(String name) {
    return switch (name) {
      case "THUMB_UP" -> Thumb.THUMB_UP;
      case "THUMB_DOWN" -> Thumb.THUMB_DOWN;
      default -> throw TextRules.invalid("thumb must be THUMB_UP or THUMB_DOWN");
    };
  }

  private static Timestamp time(String text) {
    try {
      Instant time = OffsetDateTime.parse(text).toInstant();
      return Timestamp.newBuilder()
          .setSeconds(time.getEpochSecond())
          .setNanos(time.getNano())
          .build();
    } catch (DateTimeParseException wrong) {
      throw TextRules.invalid(
          "rated_time must be a time as in RFC 3339, for example 2026-01-31T12:00:00Z");
    }
  }

  private static void onlyFeedback(Rating.Builder rating, String field) {
    if (rating.getFeedbackCase() != Rating.FeedbackCase.FEEDBACK_NOT_SET) {
      throw TextRules.invalid(
          "only one of score, thumb, choice and correction can be set; found %s and %s"
              .formatted(
                  rating.getFeedbackCase().name().toLowerCase(java.util.Locale.ROOT), field));
    }
  }

  private static PlatformException unknown(JsonParser parser, String prefix, String field) {
    // A field's name that looks like none may be text of people.
    String shown = SHOWABLE.matcher(field).matches() ? " \"" + prefix + field + "\"" : "";
    return malformed(parser, "there is no field" + shown + " in a rating");
  }

  private static PlatformException malformed(JsonParser parser, String what) {
    return new PlatformException(
        ErrorCode.ERROR_CODE_MALFORMED,
        "%s, at byte %d.".formatted(what, Math.max(parser.currentLocation().getByteOffset(), 0)));
  }
}
