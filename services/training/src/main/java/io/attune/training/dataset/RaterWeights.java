package io.attune.training.dataset;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * How much a rater's word counts: 1 for somebody of whom nothing is known, 0 for somebody whose
 * ratings say nothing, or the opposite of what they should.
 */
final class RaterWeights {
  /** Everybody's word counts alike, and as often as it is given. */
  static final RaterWeights NONE = new RaterWeights(RatingProtection.OFF, Map.of());

  private static final String NAMED = "rater/";
  private static final String UNNAMED = "rating/";

  private final RatingProtection protection;
  private final Map<String, Double> weights;

  private RaterWeights(RatingProtection protection, Map<String, Double> weights) {
    this.protection = protection;
    this.weights = weights;
  }

  /** A rater counts once for each thing that he rates; all count alike. */
  static RaterWeights equal() {
    return new RaterWeights(RatingProtection.DEFAULT, Map.of());
  }

  /** Weights as they are given, by voice. */
  static RaterWeights given(RatingProtection protection, Map<String, Double> weights) {
    return new RaterWeights(protection, Map.copyOf(weights));
  }

  /**
   * Weighs the raters of a snapshot. Held-out prompts have no part in it, so that nothing of them
   * reaches training.
   */
  static RaterWeights of(List<SnapshotRating> snapshot, RatingProtection protection) {
    if (!protection.enabled()) {
      return NONE;
    }
    List<SnapshotRating> seen = snapshot.stream().filter(rating -> !rating.heldOut()).toList();
    Opinions opinions =
        Opinions.of(PromptRatings.gather(seen, new RaterWeights(protection, Map.of())));
    return new RaterWeights(protection, RaterAgreement.weights(opinions, protection));
  }

  /**
   * Who speaks: a rater, or, where a rating names none, somebody who never spoke before. Without
   * protection each rating is somebody's of his own.
   */
  String voice(SnapshotRating rating) {
    return rating.rater().isEmpty() || !protection.enabled()
        ? UNNAMED + rating.ratingId()
        : NAMED + rating.rater();
  }

  static boolean isAnonymous(String voice) {
    return voice.startsWith(UNNAMED);
  }

  /** The weight of a voice, 0 or more; 1 for one that the snapshot does not know. */
  double of(String voice) {
    return weights.getOrDefault(voice, 1.0);
  }

  /** Whether answers that hardly differ are taken for one. */
  boolean mergesSimilarAnswers() {
    return protection.enabled();
  }

  /** Whether rows have weights at all. */
  boolean weighsRows() {
    return protection.enabled();
  }

  /**
   * The weights of several voices on one thing, none above its part.
   *
   * @param voices each once
   */
  double[] together(List<String> voices) {
    double[] each = voices.stream().mapToDouble(this::of).toArray();
    int heard = 0;
    for (double weight : each) {
      heard += weight > 0 ? 1 : 0;
    }
    double part = Math.max(protection.maxRaterSharePerAnswer(), 1.0 / Math.max(1, heard));
    double[] parts = new double[each.length];
    Arrays.fill(parts, part);
    return Shares.capped(each, parts);
  }
}
