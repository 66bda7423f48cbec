package io.attune.engine.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.objective.RatedSequence;
import io.attune.engine.objective.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Correlations and calibration against plain formulas. */
class CalibrationTest {

  /** max over a up to i, min over b from i, of the mean of targets a..b: equal to pooling. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void isotonicRegressionIsTheMaxMinOfMeans(long seed) {
    Random random = new Random(seed);
    int n = 2 + random.nextInt(30);
    double[] x = new double[n];
    double[] y = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = i;
      y[i] = 0.1 * i + random.nextGaussian();
    }
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      order.add(i);
    }
    Collections.shuffle(order, random);
    double[] shuffledX = order.stream().mapToDouble(i -> x[i]).toArray();
    double[] shuffledY = order.stream().mapToDouble(i -> y[i]).toArray();
    DoubleUnaryOperator map = Calibration.isotonic(shuffledX, shuffledY);
    for (int i = 0; i < n; i++) {
      double highest = Double.NEGATIVE_INFINITY;
      for (int a = 0; a <= i; a++) {
        double lowest = Double.POSITIVE_INFINITY;
        for (int b = i; b < n; b++) {
          lowest = Math.min(lowest, Arrays.stream(y, a, b + 1).average().orElseThrow());
        }
        highest = Math.max(highest, lowest);
      }
      assertThat(map.applyAsDouble(i)).isCloseTo(highest, within(1e-12));
    }
    assertThat(map.applyAsDouble(-5)).isEqualTo(map.applyAsDouble(0));
    assertThat(map.applyAsDouble(n + 5)).isEqualTo(map.applyAsDouble(n - 1));
    double between = (map.applyAsDouble(0) + map.applyAsDouble(1)) / 2;
    assertThat(map.applyAsDouble(0.5)).isCloseTo(between, within(1e-12));
  }

  @Test
  void equalScoresHaveOneValue() {
    DoubleUnaryOperator map =
        Calibration.isotonic(new double[] {1, 1, 2}, new double[] {0, 1, 0.25});
    assertThat(map.applyAsDouble(1)).isCloseTo(1.25 / 3, within(1e-12));
    assertThat(map.applyAsDouble(2)).isCloseTo(1.25 / 3, within(1e-12));
  }

  /** No other line is nearer. */
  @Test
  void theAffineMapIsLeastSquares() {
    double[] x = {0, 1, 2, 5};
    double[] y = {1, 0, 4, 6};
    DoubleUnaryOperator map = Calibration.affine(x, y);
    double best = off(x, y, map);
    for (double slope : new double[] {-1e-4, 0, 1e-4}) {
      for (double shift : new double[] {-1e-4, 0, 1e-4}) {
        DoubleUnaryOperator other = at -> map.applyAsDouble(at) + slope * at + shift;
        assertThat(off(x, y, other)).isGreaterThanOrEqualTo(best);
      }
    }
    assertThat(Calibration.affine(new double[] {3, 3}, new double[] {1, 2}).applyAsDouble(9))
        .isEqualTo(1.5);
  }

  private static double off(double[] x, double[] y, DoubleUnaryOperator map) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += Math.pow(map.applyAsDouble(x[i]) - y[i], 2);
    }
    return sum;
  }

  /** A row never sees its own target: changing that changes no map that is applied to it. */
  @Test
  void rowsAreMappedByWhatTheOtherHalfSays() {
    double[] x = {1, 2, 3, 4, 5, 6};
    double[] y = {2, 3, 3, 6, 5, 9};
    double[] before = Calibration.crossFitted(x, y, Calibration::affine);
    y[2] = 100;
    double[] after = Calibration.crossFitted(x, y, Calibration::affine);
    for (int i = 0; i < x.length; i += 2) {
      assertThat(after[i]).isEqualTo(before[i]);
      assertThat(after[i + 1]).isNotEqualTo(before[i + 1]);
    }
    DoubleUnaryOperator odd = Calibration.affine(new double[] {2, 4, 6}, new double[] {3, 6, 9});
    assertThat(before[0]).isCloseTo(odd.applyAsDouble(1), within(1e-12));
  }

  @Test
  void scoresThatAreOffByAConstantAreOffByThatMuch() {
    double[] y = new double[25];
    Arrays.setAll(y, i -> i / 25.0);
    double[] x = Arrays.stream(y).map(v -> v + 0.125).toArray();
    assertThat(Calibration.error(x, y)).isCloseTo(0.125, within(1e-12));
    assertThat(Calibration.rootMeanSquare(x, y)).isCloseTo(0.125, within(1e-12));
  }

  @Test
  void theCalibrationErrorOfPairsIsTheMeanGapOfItsBins() {
    // Two pairs at sigmoid(1) = 0.731, one right and one wrong; one at sigmoid(3) = 0.953, right;
    // a tie at one half, which is half right.
    double[][] pairs = {{2, 1}, {0, 1}, {3, 0}, {1, 1}};
    double[] sums = new double[3 * Reliability.BINS];
    for (double[] pair : pairs) {
      double[] statistics = Reliability.statistics(pair[0], pair[1]);
      for (int k = 0; k < sums.length; k++) {
        sums[k] += statistics[k];
      }
    }
    double one = 1 / (1 + Math.exp(-1));
    double three = 1 / (1 + Math.exp(-3));
    double expected = (2 * Math.abs(0.5 - one) + Math.abs(1 - three)) / 4;
    assertThat(Reliability.ERROR.score(sums)).isCloseTo(expected, within(1e-12));
    List<Reliability.Bin> bins = Reliability.bins(sums);
    assertThat(bins).hasSize(3);
    assertThat(bins.get(1).pairs()).isEqualTo(2);
    assertThat(bins.get(1).low()).isCloseTo(0.7, within(1e-12));
    assertThat(bins.get(1).confidence()).isCloseTo(one, within(1e-12));
    assertThat(bins.get(1).accuracy()).isEqualTo(0.5);
    assertThat(new Reliability.Accuracy(4).score(sums)).isEqualTo(0.5);
    double certain = Reliability.statistics(1e9, 0)[3 * Reliability.BINS - 1];
    assertThat(certain).isEqualTo(1); // no bin beyond the last one
  }

  @Test
  void ranksOfEqualValuesAreTheirMean() {
    assertThat(Correlation.ranks(new double[] {5, 1, 5, 7, 5})).containsExactly(3, 1, 3, 5, 3);
    // scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])
    assertThat(Correlation.spearman(new double[] {1, 2, 3, 4, 5}, new double[] {5, 6, 7, 8, 7}))
        .isCloseTo(0.8207826816681233, within(1e-12));
  }

  @Test
  void correlationBearsLargeNumbersAndConstantOnes() {
    double[] x = {1e8 + 1, 1e8 + 2, 1e8 + 4};
    double[] y = {1, 2, 4};
    assertThat(Correlation.pearson(x, y)).isCloseTo(1, within(1e-9));
    assertThat(Correlation.pearson(x, new double[] {3, 3, 3})).isZero();
    // By the definition.
    double[] a = {1, 2, 4, 3};
    double[] b = {2, 1, 5, 3};
    assertThat(Correlation.pearson(a, b)).isCloseTo(5.5 / Math.sqrt(5 * 8.75), within(1e-12));
  }

  /** Calibration never changes an order, and repairs a scale that is wrong. */
  @Test
  void aWrongScaleIsRepaired() {
    List<RatedSequence> rows = new ArrayList<>();
    double[] predicted = new double[40];
    for (int i = 0; i < predicted.length; i++) {
      Sequence text = Sequence.of(new int[] {1}, new int[] {2});
      rows.add(new RatedSequence(text, i / 40.0, i % 2 == 0 ? "a" : null));
      predicted[i] = 3 + 2 * (i / 40.0);
    }
    Map<String, Double> metrics = RewardMetrics.ofScores(rows, predicted);
    assertThat(metrics.get("pearson")).isCloseTo(1, within(1e-9));
    assertThat(metrics.get("accuracy")).isEqualTo(1);
    assertThat(metrics.get("rmse")).isGreaterThan(3);
    assertThat(metrics.get("rmse_affine")).isLessThan(1e-9);
    assertThat(metrics.get("calibration_error_affine")).isLessThan(1e-9);
    assertThat(metrics.get("rmse_isotonic")).isLessThan(0.03);
  }
}
