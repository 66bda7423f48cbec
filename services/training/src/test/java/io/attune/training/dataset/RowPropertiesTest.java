package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.TextNode;
import io.attune.training.v1.DpoObjective;
import io.attune.training.v1.RewardObjective;
import io.attune.training.v1.SftObjective;
import io.attune.training.v1.TrainingSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/** What holds of any ratings whatever. */
class RowPropertiesTest {
  private static final List<String> TEXTS =
      List.of("yes", "Yes ", "no", "perhaps", "it depends", "It  depends", "never");
  private static final RowSet.Limits LIMITS = new RowSet.Limits(0, 2, 50);

  private static List<SnapshotRating> anything(Random random, int count) {
    List<SnapshotRating> ratings = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String rater = random.nextInt(5) == 0 ? "" : "rater" + random.nextInt(6);
      int prompt = random.nextInt(6);
      List<String> answers = new ArrayList<>();
      int shown = 1 + random.nextInt(3);
      for (int k = 0; k < shown; k++) {
        answers.add(TEXTS.get(random.nextInt(TEXTS.size())));
      }
      SnapshotRating.Feedback feedback =
          switch (random.nextInt(4)) {
            case 0 -> new SnapshotRating.Choice(random.nextInt(shown));
            case 1 -> new SnapshotRating.Correction(TEXTS.get(random.nextInt(TEXTS.size())));
            case 2 -> new SnapshotRating.Thumb(random.nextBoolean());
            default -> new SnapshotRating.Score(random.nextInt(11) / 10.0);
          };
      ratings.add(
          new SnapshotRating(
              "r" + i, rater, prompt == 0, TextNode.valueOf("p" + prompt), answers, feedback));
    }
    return ratings;
  }

  private static List<TrainingSpec> objectives() {
    return List.of(
        TrainingSpec.newBuilder().setSft(SftObjective.getDefaultInstance()).build(),
        TrainingSpec.newBuilder()
            .setDpo(DpoObjective.newBuilder().setMaximumPairsPerPrompt(2))
            .build(),
        TrainingSpec.newBuilder().setReward(RewardObjective.getDefaultInstance()).build(),
        TrainingSpec.newBuilder()
            .setReward(
                RewardObjective.newBuilder()
                    .setLoss(RewardObjective.Loss.LOSS_BRADLEY_TERRY)
                    .setMaximumPairsPerPrompt(3))
            .build());
  }

  private static List<String> described(RowSet rows) {
    List<String> lines = new ArrayList<>();
    for (Row row : rows.training()) {
      lines.add(row.toJson() + " " + row.ratingIds().stream().sorted().toList());
    }
    rows.evaluation().forEach(pair -> lines.add(pair.better() + ">" + pair.worse()));
    rows.heldOutPrompts().forEach(prompt -> lines.add(prompt.toString()));
    Collections.sort(lines);
    return lines;
  }

  @RepeatedTest(100)
  void theOrderOfRatingsChangesNothingButTheOrderOfRows(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    List<SnapshotRating> ratings = anything(random, 5 + random.nextInt(80));
    List<SnapshotRating> shuffled = new ArrayList<>(ratings);
    Collections.shuffle(shuffled, random);

    for (TrainingSpec spec : objectives()) {
      assertThat(described(RowSet.derive(spec, shuffled, LIMITS)))
          .isEqualTo(described(RowSet.derive(spec, ratings, LIMITS)));
    }
  }

  @RepeatedTest(100)
  void weightsAreOneOnAverageAndNoRowIsFreeOfThem(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    List<SnapshotRating> ratings = anything(random, 5 + random.nextInt(80));
    for (TrainingSpec spec : objectives()) {
      List<Row> rows = RowSet.derive(spec, ratings, LIMITS).training();
      if (!rows.isEmpty()) {
        assertThat(rows.stream().mapToDouble(Row::weight).average().orElseThrow())
            .isCloseTo(1, within(1e-9));
        assertThat(rows).allMatch(row -> row.weight() > 0);
      }
    }
  }

  /** Whoever changes his mind from 0 to 1 moves a mean by his part of it. */
  @RepeatedTest(100)
  void noRaterMovesAMeanByMoreThanHisShare(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    double share = 0.3 + 0.7 * random.nextDouble();
    int raters = 1 + random.nextInt(7);
    Map<String, Double> weights = new HashMap<>();
    int heard = 0;
    for (int i = 0; i < raters; i++) {
      double weight = random.nextInt(4) == 0 ? 0 : 2 * random.nextDouble();
      heard += weight > 0 ? 1 : 0;
      weights.put("rater/rater" + i, weight);
    }
    RaterWeights given = RaterWeights.given(new RatingProtection(true, 1, share, 1, true), weights);
    RatingsForTests ratings = new RatingsForTests();
    RatingsForTests low = new RatingsForTests();
    RatingsForTests high = new RatingsForTests();
    int mover = random.nextInt(raters);
    for (int i = 0; i < raters; i++) {
      double score = random.nextDouble();
      ratings.score("p", "x", "rater" + i, score);
      low.score("p", "x", "rater" + i, i == mover ? 0 : score);
      high.score("p", "x", "rater" + i, i == mover ? 1 : score);
    }
    if (heard == 0) {
      assertThat(mean(ratings, given)).isNaN();
      return;
    }
    double most = Math.max(share, 1.0 / heard);
    assertThat(mean(high, given) - mean(low, given)).isBetween(0.0, most + 1e-9);
    assertThat(mean(ratings, given)).isBetween(mean(low, given) - 1e-9, mean(high, given) + 1e-9);
  }

  private static double mean(RatingsForTests ratings, RaterWeights weights) {
    return PromptRatings.gather(ratings.list(), weights)
        .get(0)
        .answers()
        .iterator()
        .next()
        .mean()
        .orElse(Double.NaN);
  }
}
