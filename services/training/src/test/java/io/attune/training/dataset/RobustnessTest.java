package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.training.v1.RatingSettings;
import io.attune.training.v1.RewardObjective;
import io.attune.training.v1.TrainingSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A twentieth of the raters say the opposite of what they think, and one more sends half of all
 * ratings: what that costs a reward model, in how often it orders two unseen texts rightly. Texts
 * are made of words that are good or bad; the reward model is a regression on counts of words. On
 * ratings of real people, and with an encoder: {@code RobustnessExperiment}.
 */
class RobustnessTest {
  private static final int WORDS = 80;
  private static final int WORDS_IN_TEXT = 7;
  private static final int SEEN = 600;
  private static final int UNSEEN = 300;
  private static final double MOST_LOST = 0.02;

  private final List<Crowd.Text> texts = new ArrayList<>();

  private void write(long seed, int perPrompt) {
    Random random = new Random(seed);
    double[] valence = random.doubles(WORDS, -1, 1).toArray();
    for (int i = 0; i < SEEN + UNSEEN; i++) {
      StringBuilder text = new StringBuilder();
      double sum = 0;
      for (int k = 0; k < WORDS_IN_TEXT; k++) {
        int word = random.nextInt(WORDS);
        text.append('w').append(word).append(' ');
        sum += valence[word];
      }
      double quality = 1 / (1 + Math.exp(-sum));
      List<Double> said = new ArrayList<>();
      for (int k = 0; k < 12; k++) {
        said.add(Math.max(0, Math.min(1, quality + 0.2 * random.nextGaussian())));
      }
      texts.add(new Crowd.Text("prompt " + i / perPrompt, text.toString(), said));
    }
  }

  private static double[] counts(String text) {
    double[] counts = new double[WORDS];
    for (String word : text.strip().split(" ")) {
      counts[Integer.parseInt(word.substring(1))]++;
    }
    return counts;
  }

  private List<Row> rows(RewardObjective.Loss loss, Crowd crowd, boolean protection, long seed) {
    TrainingSpec spec =
        TrainingSpec.newBuilder()
            .setReward(RewardObjective.newBuilder().setLoss(loss))
            .setRatings(RatingSettings.newBuilder().setProtection(protection))
            .build();
    List<SnapshotRating> ratings = crowd.rate(texts.subList(0, SEEN), seed);
    return RowSet.derive(spec, ratings, new RowSet.Limits(0, 0, 0)).training();
  }

  private double accuracy(Crowd crowd, boolean protection, long seed) {
    List<Row> rows = rows(RewardObjective.Loss.LOSS_REGRESSION, crowd, protection, seed);
    List<double[]> features = new ArrayList<>();
    for (Row row : rows) {
      features.add(counts(((Row.Scored) row).completion()));
    }
    double[] targets = rows.stream().mapToDouble(row -> ((Row.Scored) row).score()).toArray();
    double[] weights = rows.stream().mapToDouble(Row::weight).toArray();
    Ridge model = Ridge.fit(features, targets, weights, 1);
    List<Crowd.Text> unseen = texts.subList(SEEN, SEEN + UNSEEN);
    return Ridge.accuracy(
        unseen.stream().mapToDouble(Crowd.Text::mean).toArray(),
        unseen.stream().mapToDouble(text -> model.predict(counts(text.text()))).toArray());
  }

  @ParameterizedTest
  @CsvSource({
    "1, 2, FLIPPED",
    "2, 2, FLIPPED",
    "3, 3, FLIPPED",
    "4, 2, RANDOM",
    "5, 2, RANDOM",
    "6, 3, RANDOM"
  })
  void badRatersCostARewardModelLittle(long seed, int perText, Crowd.Flood flood) {
    write(seed, 1);
    Crowd clean = new Crowd(60, perText, 0, Crowd.Flood.NONE);
    Crowd poisoned = new Crowd(60, perText, 0.05, flood);

    double lost = accuracy(clean, true, seed) - accuracy(poisoned, true, seed);
    double lostWithout = accuracy(clean, false, seed) - accuracy(poisoned, false, seed);

    assertThat(lost).isLessThanOrEqualTo(MOST_LOST);
    assertThat(lostWithout).isGreaterThan(lost);
    // Whoever sends as many ratings as all others, and means the opposite, undoes theirs.
    assertThat(lostWithout).isGreaterThan(flood == Crowd.Flood.FLIPPED ? 0.1 : 0);
    // Protection takes nothing away where there is nothing to protect from.
    assertThat(accuracy(clean, true, seed)).isGreaterThan(accuracy(clean, false, seed) - 0.005);
  }

  /**
   * Where nobody rates what another rated, but for the one who rates everything, a liar among many
   * is not to be found. The many are still heard.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void oneRatingOfEachTextIsEnoughToFindWhoSendsHalf(long seed) {
    write(seed, 1);
    Crowd clean = new Crowd(60, 1, 0, Crowd.Flood.NONE);
    Crowd poisoned = new Crowd(60, 1, 0.05, Crowd.Flood.FLIPPED);
    Crowd liars = new Crowd(60, 1, 0.05, Crowd.Flood.NONE);

    assertThat(accuracy(poisoned, true, seed))
        .isGreaterThan(accuracy(liars, false, seed) - MOST_LOST);
    assertThat(accuracy(poisoned, false, seed)).isLessThan(accuracy(clean, false, seed) - 0.3);
  }

  /**
   * The same of pairs: the part of their weight that lies on pairs which are the wrong way round.
   */
  private double wrong(Crowd crowd, boolean protection, long seed) {
    double wrong = 0;
    double all = 0;
    for (Row row : rows(RewardObjective.Loss.LOSS_BRADLEY_TERRY, crowd, protection, seed)) {
      Row.Pair pair = (Row.Pair) row;
      wrong += mean(pair.chosen()) < mean(pair.rejected()) ? row.weight() : 0;
      all += row.weight();
    }
    return wrong / all;
  }

  private double mean(String text) {
    return texts.stream().filter(t -> t.text().equals(text)).findFirst().orElseThrow().mean();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void badRatersTurnFewPairsRound(long seed) {
    write(seed, 4);
    Crowd clean = new Crowd(60, 2, 0, Crowd.Flood.NONE);
    Crowd poisoned = new Crowd(60, 2, 0.05, Crowd.Flood.FLIPPED);

    double before = wrong(clean, true, seed);

    assertThat(wrong(poisoned, true, seed)).isLessThan(before + MOST_LOST);
    assertThat(wrong(poisoned, false, seed)).isGreaterThan(before + 0.2);
  }
}
