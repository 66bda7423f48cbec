package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

class RaterWeightsTest {
  private final List<SnapshotRating> ratings = new ArrayList<>();

  @Test
  void ofWhomNothingIsKnownCountsAsOne() {
    score("ann", 0, 0.9);
    score("bob", 1, 0.1);
    score("", 2, 0.5);

    RaterWeights weights = weights(RatingProtection.DEFAULT);

    assertThat(List.of(weights.of("rater/ann"), weights.of("rater/bob"), weights.of("rater/new")))
        .allSatisfy(weight -> assertThat(weight).isCloseTo(1, within(1e-9)));
    assertThat(weights.of("rating/r2")).isEqualTo(1);
  }

  @Test
  void whoAgreesWithTheOthersCountsMoreAndWhoContradictsThemNothing() {
    Random random = new Random(1);
    for (int answer = 0; answer < 60; answer++) {
      double quality = random.nextDouble();
      for (String rater : List.of("ann", "bob", "joe", "kim")) {
        score(rater, answer, near(quality, random));
      }
      score("flips", answer, 1 - near(quality, random));
      score("guesses", answer, random.nextDouble());
      score("sleeps", answer, 0.5);
    }
    score("new", 0, 0);
    score("new", 1, 1);

    RaterWeights weights = weights(RatingProtection.DEFAULT);

    assertThat(weights.of("rater/ann")).isGreaterThan(1.5).isLessThanOrEqualTo(2);
    assertThat(weights.of("rater/flips")).isZero();
    assertThat(weights.of("rater/guesses")).isLessThan(0.1);
    assertThat(weights.of("rater/sleeps")).isLessThan(0.3);
    assertThat(weights.of("rater/new")).isBetween(0.3, 1.7);
  }

  @Test
  void severityIsNoUnreliability() {
    Random random = new Random(2);
    for (int answer = 0; answer < 60; answer++) {
      double quality = 0.3 + 0.4 * random.nextDouble();
      for (String rater : List.of("ann", "bob", "joe", "kim")) {
        score(rater, answer, near(quality, random));
      }
      score("harsh", answer, near(quality, random) - 0.3);
    }

    assertThat(weights(RatingProtection.DEFAULT).of("rater/harsh")).isGreaterThan(1);
  }

  @Test
  void whoVotesAgainstTheOthersIsNotHeard() {
    Random random = new Random(3);
    for (int prompt = 0; prompt < 60; prompt++) {
      for (String rater : List.of("ann", "bob", "joe", "kim")) {
        choice(rater, prompt, random.nextInt(10) == 0 ? 1 : 0);
      }
      choice("flips", prompt, random.nextInt(10) == 0 ? 0 : 1);
      choice("guesses", prompt, random.nextInt(2));
    }

    RaterWeights weights = weights(RatingProtection.DEFAULT);

    assertThat(weights.of("rater/ann")).isGreaterThan(1.5);
    assertThat(weights.of("rater/flips")).isZero();
    assertThat(weights.of("rater/guesses")).isLessThan(0.2);
  }

  /**
   * Nobody meets anybody but the one who rates everything, so that the data alone cannot say who is
   * wrong. That it is one and not forty can.
   */
  @Test
  void oneWhoContradictsEverybodyIsWrongThoughHeSendsHalfOfAll() {
    Random random = new Random(4);
    for (int rater = 0; rater < 40; rater++) {
      for (int i = 0; i < 20; i++) {
        double quality = random.nextDouble();
        score("rater" + rater, 20 * rater + i, near(quality, random));
        score("flood", 20 * rater + i, 1 - near(quality, random));
      }
    }

    RaterWeights weights = weights(RatingProtection.DEFAULT);

    assertThat(weights.of("rater/flood")).isZero();
    for (int rater = 0; rater < 40; rater++) {
      assertThat(weights.of("rater/rater" + rater)).isBetween(0.9, 1.1);
    }
  }

  @Test
  void noRaterHasMoreThanHisShareOfAllWeight() {
    for (int rater = 0; rater < 50; rater++) {
      for (int i = 0; i < 4; i++) {
        score("rater" + rater, 4 * rater + i, 0.5);
      }
    }
    for (int i = 0; i < 2000; i++) {
      score("heavy", i, 0.5);
    }

    RatingProtection capped = new RatingProtection(true, 0.05, 1, 1, false);
    assertThat(share(weights(capped), rating -> rating.rater().equals("heavy") ? 1 : 0))
        .isCloseTo(0.05, within(1e-9));
    assertThat(weights(capped).of("rater/rater7")).isEqualTo(1);
    RatingProtection uncapped = new RatingProtection(true, 1, 1, 1, false);
    assertThat(weights(uncapped).of("rater/heavy")).isEqualTo(1);
  }

  /** Somebody who leaves out his name is nobody twice, and so under no cap of his own. */
  @Test
  void whoeverHasNoNameSharesOnePart() {
    for (int rater = 0; rater < 100; rater++) {
      score("rater" + rater, rater, 0.5);
    }
    for (int i = 0; i < 900; i++) {
      score("", i, 0.5);
    }

    assertThat(share(weights(RatingProtection.DEFAULT), rating -> rating.rater().isEmpty() ? 1 : 0))
        .isCloseTo(0.5, within(1e-9));

    ratings.removeIf(rating -> !rating.rater().isEmpty());
    assertThat(weights(RatingProtection.DEFAULT).of("rating/r500")).isEqualTo(1);
  }

  @Test
  void heldOutPromptsHaveNoPartInIt() {
    Random random = new Random(5);
    for (int answer = 0; answer < 60; answer++) {
      double quality = random.nextDouble();
      score("ann", answer, near(quality, random));
      score("bob", answer, near(quality, random));
    }
    RaterWeights before = weights(RatingProtection.DEFAULT);
    for (int answer = 0; answer < 60; answer++) {
      ratings.add(rating("ann", "held" + answer, new SnapshotRating.Score(answer % 2), true));
      ratings.add(rating("bob", "held" + answer, new SnapshotRating.Score(1 - answer % 2), true));
    }

    assertThat(weights(RatingProtection.DEFAULT).of("rater/ann")).isEqualTo(before.of("rater/ann"));
  }

  @Test
  void withoutProtectionEveryRatingCountsAsOne() {
    score("ann", 0, 1);
    score("ann", 0, 1);
    score("bob", 0, 0.4);

    RaterWeights off = weights(RatingProtection.OFF);

    assertThat(ScoredRows.of(PromptRatings.gather(ratings, off).get(0)).get(0).score())
        .isCloseTo(0.8, within(1e-12));
    assertThat(
            ScoredRows.of(PromptRatings.gather(ratings, weights(RatingProtection.DEFAULT)).get(0))
                .get(0)
                .score())
        .isCloseTo(0.7, within(1e-12));
  }

  private RaterWeights weights(RatingProtection protection) {
    return RaterWeights.of(ratings, protection);
  }

  private double share(RaterWeights weights, ToDoubleFunction<SnapshotRating> whose) {
    double own = 0;
    double all = 0;
    for (SnapshotRating rating : ratings) {
      double weight = weights.of(weights.voice(rating));
      own += whose.applyAsDouble(rating) * weight;
      all += weight;
    }
    return own / all;
  }

  private static double near(double quality, Random random) {
    return Math.max(0, Math.min(1, quality + 0.15 * random.nextGaussian()));
  }

  private void score(String rater, int answer, double score) {
    double inRange = Math.max(0, Math.min(1, score));
    ratings.add(rating(rater, "prompt" + answer, new SnapshotRating.Score(inRange), false));
  }

  private void choice(String rater, int prompt, int chosen) {
    ratings.add(rating(rater, "prompt" + prompt, new SnapshotRating.Choice(chosen), false));
  }

  private SnapshotRating rating(
      String rater, String prompt, SnapshotRating.Feedback feedback, boolean heldOut) {
    List<String> answers =
        feedback instanceof SnapshotRating.Choice ? List.of("x", "y") : List.of("x");
    return new SnapshotRating(
        "r" + ratings.size(), rater, heldOut, TextNode.valueOf(prompt), answers, feedback);
  }
}
