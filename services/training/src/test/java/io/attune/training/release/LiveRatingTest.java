package io.attune.training.release;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.common.v1.AdapterVersion;
import io.attune.feedback.v1.Choice;
import io.attune.feedback.v1.RatedAnswer;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.Thumb;
import org.junit.jupiter.api.Test;

class LiveRatingTest {
  private static final RatedAnswer BY_TWO =
      RatedAnswer.newBuilder()
          .setAdapter(AdapterVersion.newBuilder().setLine("assistant").setVersion(2))
          .build();

  @Test
  void scoresAndThumbsAreOfTheVersionThatAnswered() {
    assertThat(LiveRating.of(accepted(rating().setRater("ann").setScore(0.25), BY_TWO)))
        .contains(new LiveRating("assistant", 2, "r1", "rater/ann", 0.25));
    assertThat(LiveRating.of(accepted(rating().setThumb(Thumb.THUMB_UP), BY_TWO)))
        .contains(new LiveRating("assistant", 2, "r1", "conversation/c1", 1));
    assertThat(LiveRating.of(accepted(rating().setThumb(Thumb.THUMB_DOWN), BY_TWO)))
        .contains(new LiveRating("assistant", 2, "r1", "conversation/c1", 0));
  }

  @Test
  void whatSaysNothingOfOneVersionIsLeftOut() {
    RatedAnswer imported = RatedAnswer.newBuilder().setCompletion("text").build();

    assertThat(LiveRating.of(accepted(rating().setScore(1), imported))).isEmpty();
    assertThat(LiveRating.of(accepted(rating().setCorrection("better"), BY_TWO))).isEmpty();
    assertThat(
            LiveRating.of(
                accepted(rating().setChoice(Choice.getDefaultInstance()), BY_TWO, BY_TWO)))
        .isEmpty();
  }

  private static Rating.Builder rating() {
    return Rating.newBuilder().setId("r1").setConversationId("c1");
  }

  private static RatingAccepted accepted(Rating.Builder rating, RatedAnswer... answers) {
    return RatingAccepted.newBuilder()
        .setRating(rating)
        .addAllAnswers(java.util.List.of(answers))
        .build();
  }
}
