package io.attune.training.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * All ratings of one prompt, gathered by answer. Equal texts are one answer, whoever wrote them,
 * and so are {@link SimilarAnswers}.
 *
 * <p>Somebody who says something twice about one answer, or one pair, counts once, with the mean of
 * what he said. A thumb counts as a score of 1 or 0. A mean over raters is weighted by {@link
 * RaterWeights}; those whose weight is 0 are not heard.
 */
final class PromptRatings {
  private final JsonNode prompt;
  private final boolean heldOut;
  private final RaterWeights weights;
  private final UnaryOperator<String> known;
  private final SortedMap<String, Answer> answers = new TreeMap<>();
  private final Map<List<String>, Ballot> ballots = new TreeMap<>(PromptRatings::compare);

  private PromptRatings(List<SnapshotRating> ratings, RaterWeights weights) {
    this.prompt = ratings.get(0).prompt();
    this.heldOut = ratings.get(0).heldOut();
    this.weights = weights;
    this.known =
        weights.mergesSimilarAnswers() ? SimilarAnswers.of(ratings)::of : UnaryOperator.identity();
    ratings.forEach(this::add);
  }

  /** What one group of voices said about one thing. */
  private static final class Voices {
    private final SortedMap<String, List<Double>> values = new TreeMap<>();
    private final List<String> ids = new ArrayList<>();

    void add(String voice, double value, String id) {
      values.computeIfAbsent(voice, v -> new ArrayList<>()).add(value);
      ids.add(id);
    }

    /** Each voice's own mean, summed in an order that the ratings' order does not change. */
    SortedMap<String, Double> means() {
      SortedMap<String, Double> means = new TreeMap<>();
      values.forEach(
          (voice, said) ->
              means.put(
                  voice,
                  said.stream().sorted().mapToDouble(Double::doubleValue).sum() / said.size()));
      return means;
    }
  }

  /** A weighted sum of what voices said, and their weight. */
  private record Tally(double sum, double weight) {
    static Tally of(SortedMap<String, Double> said, RaterWeights weights) {
      double[] each = weights.together(List.copyOf(said.keySet()));
      double sum = 0;
      double weight = 0;
      int i = 0;
      for (double value : said.values()) {
        sum += each[i] * value;
        weight += each[i++];
      }
      return new Tally(sum, weight);
    }
  }

  /** An answer and what was said about it. */
  static final class Answer {
    private final String text;
    private final RaterWeights weights;
    private final Voices scores = new Voices();
    private final Voices approvals = new Voices();

    private Answer(String text, RaterWeights weights) {
      this.text = text;
      this.weights = weights;
    }

    String text() {
      return text;
    }

    /** Each rater's own mean score. */
    SortedMap<String, Double> scores() {
      return scores.means();
    }

    /** The mean score; empty when nobody who is heard scored the answer. */
    OptionalDouble mean() {
      Tally tally = Tally.of(scores(), weights);
      return tally.weight() > 0
          ? OptionalDouble.of(tally.sum() / tally.weight())
          : OptionalDouble.empty();
    }

    /** The weight of those who scored the answer. */
    double weight() {
      return Tally.of(scores(), weights).weight();
    }

    /** The weight of those who gave this answer as the right one. */
    double approval() {
      return Tally.of(approvals.means(), weights).weight();
    }

    /** The ratings that scored the answer. */
    List<String> scoreIds() {
      return scores.ids;
    }

    /** The ratings that gave this answer as the right one: choices and corrections. */
    List<String> approvalIds() {
      return approvals.ids;
    }
  }

  /**
   * Votes on which of two answers is better.
   *
   * @param first before the second in the order of texts
   */
  static final class Ballot {
    private final String first;
    private final String second;
    private final RaterWeights weights;
    private final Voices votes = new Voices();

    private Ballot(String first, String second, RaterWeights weights) {
      this.first = first;
      this.second = second;
      this.weights = weights;
    }

    String first() {
      return first;
    }

    String second() {
      return second;
    }

    /** Each rater's own mean vote, from 1 (the first answer is better) to -1. */
    SortedMap<String, Double> votes() {
      return votes.means();
    }

    /** By how much more weight the first answer is preferred; less than 0 for the second. */
    double net() {
      return Tally.of(votes(), weights).sum();
    }

    /** Whether anybody who is heard voted. */
    boolean settled() {
      return Tally.of(votes(), weights).weight() > 0;
    }

    List<String> ids() {
      return votes.ids;
    }
  }

  /** As the other, all raters alike. */
  static List<PromptRatings> gather(Collection<SnapshotRating> ratings) {
    return gather(ratings, RaterWeights.equal());
  }

  /** What makes ratings be about one thing. */
  private record Subject(JsonNode prompt, String text) {
    /**
     * The prompt; of a rating without one, what it rates, as ingestion has it when it holds prompts
     * out: texts that answer nothing are not answers to one question.
     */
    static Subject of(SnapshotRating rating) {
      return new Subject(
          rating.prompt(), isEmpty(rating.prompt()) ? rating.completions().get(0) : "");
    }
  }

  /** Whether there is nothing to answer. */
  static boolean isEmpty(JsonNode prompt) {
    return prompt.isTextual() ? prompt.asText().isBlank() : prompt.isEmpty();
  }

  /** Gathers ratings by prompt, in the order in which the prompts first appear. */
  static List<PromptRatings> gather(Collection<SnapshotRating> ratings, RaterWeights weights) {
    Map<Subject, List<SnapshotRating>> prompts = new LinkedHashMap<>();
    for (SnapshotRating rating : ratings) {
      prompts.computeIfAbsent(Subject.of(rating), p -> new ArrayList<>()).add(rating);
    }
    return prompts.values().stream().map(each -> new PromptRatings(each, weights)).toList();
  }

  private void add(SnapshotRating rating) {
    String id = rating.ratingId();
    String voice = weights.voice(rating);
    Answer first = answer(rating.completions().get(0));
    SnapshotRating.Feedback feedback = rating.feedback();
    if (feedback instanceof SnapshotRating.Score score) {
      first.scores.add(voice, score.value(), id);
    } else if (feedback instanceof SnapshotRating.Thumb thumb) {
      first.scores.add(voice, thumb.up() ? 1 : 0, id);
    } else if (feedback instanceof SnapshotRating.Choice choice) {
      String chosen = rating.completions().get(choice.chosen());
      answer(chosen).approvals.add(voice, 1, id);
      rating.completions().forEach(other -> vote(chosen, other, voice, id));
    } else if (feedback instanceof SnapshotRating.Correction correction) {
      answer(correction.text()).approvals.add(voice, 1, id);
      vote(correction.text(), first.text(), voice, id);
    } else {
      throw new AssertionError(feedback);
    }
  }

  private Answer answer(String text) {
    return answers.computeIfAbsent(known.apply(text), own -> new Answer(own, weights));
  }

  private void vote(String better, String worse, String voice, String id) {
    String winner = answer(better).text();
    String loser = answer(worse).text();
    int order = winner.compareTo(loser);
    if (order != 0) {
      String first = order < 0 ? winner : loser;
      String second = order < 0 ? loser : winner;
      ballots
          .computeIfAbsent(List.of(first, second), pair -> new Ballot(first, second, weights))
          .votes
          .add(voice, order < 0 ? 1 : -1, id);
    }
  }

  private static int compare(List<String> a, List<String> b) {
    int first = a.get(0).compareTo(b.get(0));
    return first != 0 ? first : a.get(1).compareTo(b.get(1));
  }

  JsonNode prompt() {
    return prompt;
  }

  boolean heldOut() {
    return heldOut;
  }

  /** Whether rows have weights. */
  boolean weighsRows() {
    return weights.weighsRows();
  }

  /** The answers, sorted by text. */
  Collection<Answer> answers() {
    return answers.values();
  }

  /** What people said directly about pairs of answers, sorted. */
  Collection<Ballot> ballots() {
    return ballots.values();
  }
}
