package io.attune.training.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * All ratings of one prompt, gathered by answer. Equal texts are one answer, whoever wrote them.
 *
 * <p>A mean score is the mean over raters of each rater's own mean, so that somebody who rates the
 * same answer twice counts once. A thumb counts as a score of 1 or 0. Ratings without a rater count
 * as one rater each.
 */
final class PromptRatings {
  /** An answer and what was said about it. */
  static final class Answer {
    private final String text;
    private final Map<String, List<Double>> scoresByRater = new LinkedHashMap<>();
    private final List<String> scoreIds = new ArrayList<>();
    private final List<String> approvalIds = new ArrayList<>();

    private Answer(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }

    /** The mean score, empty when nobody scored the answer. */
    OptionalDouble mean() {
      return scoresByRater.values().stream()
          .mapToDouble(
              scores -> scores.stream().mapToDouble(Double::doubleValue).average().orElseThrow())
          .average();
    }

    /** The ratings that scored the answer. */
    List<String> scoreIds() {
      return scoreIds;
    }

    /** The ratings that gave this answer as the right one: choices and corrections. */
    List<String> approvalIds() {
      return approvalIds;
    }
  }

  /** One answer said to be better than another. */
  record Preference(String better, String worse) {
    Preference reversed() {
      return new Preference(worse, better);
    }
  }

  private final JsonNode prompt;
  private final boolean heldOut;
  private final Map<String, Answer> answers = new LinkedHashMap<>();
  private final Map<Preference, List<String>> votes = new LinkedHashMap<>();

  private PromptRatings(JsonNode prompt, boolean heldOut) {
    this.prompt = prompt;
    this.heldOut = heldOut;
  }

  /** Gathers ratings by prompt, in the order in which the prompts first appear. */
  static List<PromptRatings> gather(Collection<SnapshotRating> ratings) {
    Map<JsonNode, PromptRatings> prompts = new LinkedHashMap<>();
    for (SnapshotRating rating : ratings) {
      prompts
          .computeIfAbsent(rating.prompt(), p -> new PromptRatings(p, rating.heldOut()))
          .add(rating);
    }
    return List.copyOf(prompts.values());
  }

  private void add(SnapshotRating rating) {
    String id = rating.ratingId();
    Answer first = answer(rating.completions().get(0));
    SnapshotRating.Feedback feedback = rating.feedback();
    if (feedback instanceof SnapshotRating.Score score) {
      addScore(first, rating, score.value());
    } else if (feedback instanceof SnapshotRating.Thumb thumb) {
      addScore(first, rating, thumb.up() ? 1 : 0);
    } else if (feedback instanceof SnapshotRating.Choice choice) {
      String chosen = rating.completions().get(choice.chosen());
      answer(chosen).approvalIds.add(id);
      rating.completions().forEach(other -> vote(chosen, other, id));
    } else if (feedback instanceof SnapshotRating.Correction correction) {
      answer(correction.text()).approvalIds.add(id);
      vote(correction.text(), first.text(), id);
    } else {
      throw new AssertionError(feedback);
    }
  }

  private Answer answer(String text) {
    return answers.computeIfAbsent(text, Answer::new);
  }

  private static void addScore(Answer answer, SnapshotRating rating, double score) {
    String rater =
        rating.rater().isEmpty() ? "rating/" + rating.ratingId() : "rater/" + rating.rater();
    answer.scoresByRater.computeIfAbsent(rater, r -> new ArrayList<>()).add(score);
    answer.scoreIds.add(rating.ratingId());
  }

  private void vote(String better, String worse, String id) {
    answer(worse);
    if (!better.equals(worse)) {
      votes.computeIfAbsent(new Preference(better, worse), p -> new ArrayList<>()).add(id);
    }
  }

  JsonNode prompt() {
    return prompt;
  }

  boolean heldOut() {
    return heldOut;
  }

  /** The answers in the order in which they first appear. */
  Collection<Answer> answers() {
    return answers.values();
  }

  Answer get(String text) {
    return answers.get(text);
  }

  /** Which ratings said directly that one answer is better than another. */
  Map<Preference, List<String>> votes() {
    return votes;
  }
}
