package io.attune.engine.objective;

import static io.attune.engine.objective.ObjectiveGradientTest.reading;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.data.ScoredCompletion;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** CORN against the paper's conditional subsets written out plainly, and finite differences. */
class OrdinalRewardTest {
  private static final RewardLevels LEVELS = new RewardLevels(List.of(1.0, 2.0, 4.0, 8.0));
  private static final double[] SCORES = {1, 8, 4, 2.2};
  private static final int[] AT = {0, 3, 2, 1};

  private static double s(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** The mean over all subsets' rows: subset j holds those at level j and above. */
  private static double plain(List<Reading> readings) {
    double loss = 0;
    int terms = 0;
    for (int j = 0; j < 3; j++) {
      for (int row = 0; row < AT.length; row++) {
        if (AT[row] >= j) {
          double above = s(readings.get(row).values()[j]);
          loss -= Math.log(AT[row] > j ? above : 1 - above);
          terms++;
        }
      }
    }
    return loss / terms;
  }

  @Test
  void conditionalOrdinalRegression() {
    OrdinalReward objective = new OrdinalReward(LEVELS);
    List<RatedSequence> rows =
        DoubleStream.of(SCORES)
            .mapToObj(
                score ->
                    RatedSequence.of(new ScoredCompletion(new int[] {1}, new int[] {2}, score)))
            .toList();
    double normaliser = rows.stream().mapToDouble(objective::weight).sum();
    assertThat(normaliser).isEqualTo(1 + 3 + 3 + 2);
    ObjectiveGradientTest.check(
        objective,
        rows,
        List.of(reading(0.3, -1, 2), reading(1, 2, -0.5), reading(0, 0, 0), reading(-3, 4, 1)),
        null,
        normaliser,
        OrdinalRewardTest::plain);
  }

  /** The chain rule over levels: each level's value times its probability. */
  @Test
  void aScoreIsTheExpectedLevel() {
    double[] z = {0.5, -0.2, 1.5};
    double a = s(z[0]);
    double b = s(z[1]);
    double c = s(z[2]);
    double expected = 1 * (1 - a) + 2 * a * (1 - b) + 4 * a * b * (1 - c) + 8 * a * b * c;
    assertThat(LEVELS.expected(z)).isCloseTo(expected, within(1e-12));
    assertThat(new OrdinalReward(LEVELS).score(reading(z))).isCloseTo(expected, within(1e-12));
    assertThat(LEVELS.expected(new double[] {-800, 0, 0})).isEqualTo(1);
    assertThat(LEVELS.expected(new double[] {800, 800, 800})).isEqualTo(8);
  }

  @ParameterizedTest
  @CsvSource({"-9, 0", "1.4, 0", "1.5, 0", "1.6, 1", "3, 1", "3.1, 2", "99, 3"})
  void scoresAreRoundedToLevels(double score, int level) {
    assertThat(LEVELS.nearest(score)).isEqualTo(level);
  }

  @Test
  void levelsAreTheScoresThatThereAre() {
    assertThat(RewardLevels.of(DoubleStream.of(3, 1, 3, -0.0, 0.0)).values())
        .containsExactly(0.0, 1.0, 3.0);
    assertThatThrownBy(() -> RewardLevels.of(DoubleStream.iterate(0, i -> i + 1).limit(101)))
        .hasMessageContaining("101 different scores");
    assertThatThrownBy(() -> RewardLevels.of(DoubleStream.of(2, 2)))
        .hasMessageContaining("from 2 to 100 values");
    assertThatThrownBy(() -> new RewardLevels(List.of(1.0, 1.0))).hasMessageContaining("rise");
    assertThatThrownBy(() -> new RewardLevels(List.of(1.0, Double.NaN)))
        .hasMessageContaining("rise");
  }
}
