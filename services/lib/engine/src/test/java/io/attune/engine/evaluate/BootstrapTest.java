package io.attune.engine.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BootstrapTest {
  private static final Metric MEAN = Likelihood.PREFERENCE_ACCURACY; // a sum over a count
  private final Bootstrap bootstrap = new Bootstrap(4000, 0.95, 1);

  /**
   * The standard error of a mean of n values is their standard deviation by sqrt(n), and 95% of a
   * normal distribution is within 1.96 of it.
   */
  @Test
  void intervalOfAMeanIsThatOfItsStandardError() {
    Random random = new Random(3);
    List<double[]> rows = new ArrayList<>();
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < 400; i++) {
      double value = random.nextGaussian() * 2 + 5;
      rows.add(new double[] {value, 1});
      sum += value;
      squares += value * value;
    }
    double mean = sum / 400;
    double error = Math.sqrt((squares / 400 - mean * mean) / 400);

    Interval interval = bootstrap.interval(MEAN, Statistics.of(rows));

    assertThat(interval.value()).isCloseTo(mean, within(1e-12));
    assertThat(interval.low()).isCloseTo(mean - 1.96 * error, within(0.1 * error));
    assertThat(interval.high()).isCloseTo(mean + 1.96 * error, within(0.1 * error));
  }

  @Test
  void pairedDifferenceIsNarrowWhereBothFindTheSameRowsHard() {
    Random random = new Random(5);
    List<double[]> base = new ArrayList<>();
    List<double[]> better = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      double hard = random.nextGaussian() * 10;
      base.add(new double[] {hard, 1});
      better.add(new double[] {hard + 0.5 + 0.1 * random.nextGaussian(), 1});
    }

    Interval difference = bootstrap.difference(MEAN, Statistics.of(better), Statistics.of(base));
    Interval alone = bootstrap.interval(MEAN, Statistics.of(base));

    assertThat(difference.value()).isCloseTo(0.5, within(0.03));
    assertThat(difference.low()).isGreaterThan(0.45);
    assertThat(difference.high()).isLessThan(0.55);
    assertThat(alone.high() - alone.low()).isGreaterThan(2);
  }

  /** Scoring summed statistics is scoring the texts that were drawn. */
  @Test
  void resampledBleuIsTheBleuOfTheResampledTexts() {
    Bleu bleu = Bleu.of(BleuTokenizer.V13A);
    List<String> written = List.of("a b c d e", "the cat sat on a mat", "no match here", "x y z w");
    List<String> right = List.of("a b c d f", "the cat sat on the mat", "nothing", "x y z w v");
    List<double[]> rows = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      rows.add(bleu.statistics(written.get(i), List.of(right.get(i))));
    }
    Interval interval = new Bootstrap(300, 0.9, 9).interval(bleu, Statistics.of(rows));

    Random random = io.attune.engine.tensor.Seed.random(9, "bootstrap");
    double[] scores = new double[300];
    for (int r = 0; r < 300; r++) {
      List<double[]> drawn = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        int row = random.nextInt(4);
        drawn.add(bleu.statistics(written.get(row), List.of(right.get(row))));
      }
      scores[r] = bleu.score(Statistics.of(drawn));
    }
    java.util.Arrays.sort(scores);
    assertThat(interval.low()).isCloseTo(Bootstrap.percentile(scores, 0.05), within(1e-9));
    assertThat(interval.high()).isCloseTo(Bootstrap.percentile(scores, 0.95), within(1e-9));
    assertThat(interval.low()).isLessThan(interval.value());
    assertThat(interval.high()).isGreaterThan(interval.value());
  }

  @Test
  void sameSeedGivesTheSameInterval() {
    Confusions rows = new Confusions(new int[] {0, 1, 1, 0, 1}, new int[] {0, 1, 0, 0, 0}, 2);
    Metric accuracy = new Accuracy();
    assertThat(new Bootstrap(50, 0.95, 4).interval(accuracy, rows))
        .isEqualTo(new Bootstrap(50, 0.95, 4).interval(accuracy, rows));
  }

  @Test
  void refusesRowsThatDoNotPairUpAndSettingsWithoutMeaning() {
    Statistics one = Statistics.of(List.of(new double[] {1, 1}));
    Statistics two = Statistics.of(List.of(new double[] {1, 1}, new double[] {0, 1}));
    assertThatThrownBy(() -> bootstrap.difference(MEAN, one, two))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("rows do not pair up: 1 and 2");
    assertThatThrownBy(() -> new Bootstrap(0, 0.95, 1)).isInstanceOf(EngineException.class);
    assertThatThrownBy(() -> new Bootstrap(10, 1, 1)).isInstanceOf(EngineException.class);
  }
}
