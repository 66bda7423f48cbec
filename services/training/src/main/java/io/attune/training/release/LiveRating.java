package io.attune.training.release;

import io.attune.common.v1.AdapterVersion;
import io.attune.feedback.v1.RatedAnswer;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.Thumb;
import java.util.Optional;

/**
 * What somebody said of an answer that a version of a line gave: a score from 0 to 1, or a thumb as
 * 1 or 0. Choices and corrections compare, and say nothing of a version by itself.
 *
 * @param voice the rater; of an unnamed one the conversation
 */
public record LiveRating(String line, long version, String ratingId, String voice, double value) {

  /** The live rating in an event; empty where it is none. */
  public static Optional<LiveRating> of(RatingAccepted accepted) {
    Rating rating = accepted.getRating();
    if (accepted.getAnswersCount() != 1 || !(rating.hasScore() || rating.hasThumb())) {
      return Optional.empty();
    }
    RatedAnswer answer = accepted.getAnswers(0);
    if (!answer.hasAdapter()) {
      return Optional.empty(); // imported text: nobody's answer
    }
    AdapterVersion adapter = answer.getAdapter();
    double value =
        rating.hasScore() ? rating.getScore() : rating.getThumb() == Thumb.THUMB_UP ? 1 : 0;
    String voice =
        rating.getRater().isEmpty()
            ? "conversation/" + rating.getConversationId()
            : "rater/" + rating.getRater();
    return Optional.of(
        new LiveRating(adapter.getLine(), adapter.getVersion(), rating.getId(), voice, value));
  }
}
