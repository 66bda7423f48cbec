package io.attune.training.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * One line of a snapshot: what one person said about one answer, or about several to one prompt.
 *
 * @param ratingId unique in the snapshot
 * @param rater a pseudonym; empty when the rating names nobody
 * @param heldOut whether the prompt is kept from training
 * @param prompt text, or an array of {@code {"role", "content"}} turns
 * @param completions the rated answers: one, or for a choice all of them in their order
 * @param feedback what was said
 */
public record SnapshotRating(
    String ratingId,
    String rater,
    boolean heldOut,
    JsonNode prompt,
    List<String> completions,
    Feedback feedback) {

  /** What a person says about an answer. */
  public sealed interface Feedback {}

  /**
   * How good the answer is.
   *
   * @param value 0 (worst) to 1 (best)
   */
  public record Score(double value) implements Feedback {}

  /**
   * Good or bad, nothing between.
   *
   * @param up whether the answer was good
   */
  public record Thumb(boolean up) implements Feedback {}

  /**
   * The best of several answers.
   *
   * @param chosen its place among the completions
   */
  public record Choice(int chosen) implements Feedback {}

  /**
   * The answer as it should have been.
   *
   * @param text the corrected answer
   */
  public record Correction(String text) implements Feedback {}
}
