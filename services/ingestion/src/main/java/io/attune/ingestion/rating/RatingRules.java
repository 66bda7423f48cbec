package io.attune.ingestion.rating;

import static io.attune.ingestion.rating.TextRules.checkDataset;
import static io.attune.ingestion.rating.TextRules.checkName;
import static io.attune.ingestion.rating.TextRules.checkText;
import static io.attune.ingestion.rating.TextRules.invalid;

import com.google.protobuf.Timestamp;
import io.attune.feedback.v1.Choice;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.Thumb;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;

/** When a rating is well formed, whoever sends it and however it comes. */
final class RatingRules {

  static final String DEFAULT_DATASET = "default";
  private static final int MIN_CHOICES = 2;
  private static final int MAX_CHOICES = 16;

  /** Clocks of producers may run ahead by this much. */
  private static final Duration CLOCK_SKEW = Duration.ofDays(1);

  private RatingRules() {}

  /**
   * @throws io.attune.platform.error.PlatformException INVALID_ARGUMENT or TOO_LARGE, naming the
   *     field
   */
  static void check(Rating rating, Instant now) {
    checkName("id", rating.getId());
    checkName("rater", rating.getRater());
    checkName("conversation_id", rating.getConversationId());
    checkName("generation_id", rating.getGenerationId());
    if (!rating.getDataset().isEmpty()) {
      checkDataset(rating.getDataset());
    }
    checkText("prompt", rating.getPrompt());
    checkText("completion", rating.getCompletion());
    if (rating.hasRatedTime()) {
      checkTime(rating.getRatedTime(), now);
    }
    checkSubject(rating);
    checkFeedback(rating);
  }

  private static void checkSubject(Rating rating) {
    int subjects =
        (rating.getGenerationId().isEmpty() ? 0 : 1)
            + (rating.getCompletion().isEmpty() ? 0 : 1)
            + (rating.hasChoice() ? 1 : 0);
    if (subjects != 1) {
      throw invalid(
          "exactly one of generation_id, completion and choice must say what is rated; found "
              + subjects);
    }
    boolean ofGenerations =
        !rating.getGenerationId().isEmpty() || rating.getChoice().getGenerationIdsCount() > 0;
    if (ofGenerations && !rating.getPrompt().isEmpty()) {
      throw invalid("prompt belongs to imported text; a generation has its own");
    }
  }

  private static void checkFeedback(Rating rating) {
    switch (rating.getFeedbackCase()) {
      case SCORE -> {
        // Written so that NaN fails.
        if (!(rating.getScore() >= 0 && rating.getScore() <= 1)) {
          throw invalid("score must be a number from 0 to 1");
        }
      }
      case THUMB -> {
        if (rating.getThumb() != Thumb.THUMB_UP && rating.getThumb() != Thumb.THUMB_DOWN) {
          throw invalid("thumb must be THUMB_UP or THUMB_DOWN");
        }
      }
      case CHOICE -> checkChoice(rating.getChoice());
      case CORRECTION -> {
        if (rating.getCorrection().isEmpty()) {
          throw invalid("correction is empty");
        }
        checkText("correction", rating.getCorrection());
      }
      case FEEDBACK_NOT_SET ->
          throw invalid("one of score, thumb, choice and correction must be set");
    }
  }

  private static void checkChoice(Choice choice) {
    int ids = choice.getGenerationIdsCount();
    int texts = choice.getCompletionsCount();
    if ((ids == 0) == (texts == 0)) {
      throw invalid("choice needs either generation_ids or completions");
    }
    int answers = ids + texts;
    if (answers < MIN_CHOICES || answers > MAX_CHOICES) {
      throw invalid(
          "choice has %d answers; %d to %d are taken".formatted(answers, MIN_CHOICES, MAX_CHOICES));
    }
    if (choice.getChosen() < 0 || choice.getChosen() >= answers) {
      throw invalid("choice.chosen must be 0 to " + (answers - 1));
    }
    for (String id : choice.getGenerationIdsList()) {
      if (id.isEmpty()) {
        throw invalid("choice.generation_ids holds an empty id");
      }
      checkName("choice.generation_ids", id);
    }
    if (new HashSet<>(choice.getGenerationIdsList()).size() != ids) {
      throw invalid("choice.generation_ids names a generation twice");
    }
    for (String text : choice.getCompletionsList()) {
      checkText("choice.completions", text);
    }
  }

  private static void checkTime(Timestamp time, Instant now) {
    boolean fits =
        time.getNanos() >= 0 && time.getNanos() < 1_000_000_000 && time.getSeconds() >= 0;
    if (!fits || time.getSeconds() > now.plus(CLOCK_SKEW).getEpochSecond()) {
      throw invalid("rated_time must lie between 1970 and tomorrow");
    }
  }
}
