package io.attune.training.dataset;

import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;

/** Builds snapshots; ids count up from r0. */
final class RatingsForTests {
  private final List<SnapshotRating> ratings = new ArrayList<>();

  RatingsForTests score(String prompt, String answer, String rater, double score) {
    return add(prompt, rater, List.of(answer), new SnapshotRating.Score(score), false);
  }

  RatingsForTests heldOutScore(String prompt, String answer, double score) {
    return add(prompt, "ann", List.of(answer), new SnapshotRating.Score(score), true);
  }

  RatingsForTests thumb(String prompt, String answer, String rater, boolean up) {
    return add(prompt, rater, List.of(answer), new SnapshotRating.Thumb(up), false);
  }

  RatingsForTests choice(String prompt, int chosen, String... answers) {
    return add(prompt, "ann", List.of(answers), new SnapshotRating.Choice(chosen), false);
  }

  RatingsForTests choiceOf(String rater, String prompt, int chosen, String... answers) {
    return add(prompt, rater, List.of(answers), new SnapshotRating.Choice(chosen), false);
  }

  RatingsForTests correction(String prompt, String answer, String corrected) {
    return add(prompt, "ann", List.of(answer), new SnapshotRating.Correction(corrected), false);
  }

  private RatingsForTests add(
      String prompt,
      String rater,
      List<String> answers,
      SnapshotRating.Feedback feedback,
      boolean heldOut) {
    String id = "r" + ratings.size();
    ratings.add(
        new SnapshotRating(id, rater, heldOut, TextNode.valueOf(prompt), answers, feedback));
    return this;
  }

  List<SnapshotRating> list() {
    return List.copyOf(ratings);
  }

  /** The ratings of the one prompt that there is. */
  PromptRatings onlyPrompt() {
    List<PromptRatings> prompts = PromptRatings.gather(ratings);
    if (prompts.size() != 1) {
      throw new IllegalStateException(prompts.size() + " prompts");
    }
    return prompts.get(0);
  }
}
