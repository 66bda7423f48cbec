package io.attune.training.release;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.common.v1.AdapterVersion;
import io.attune.training.v1.GateDecision;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LiveComparisonTest {
  private static final AdapterVersion NEW =
      AdapterVersion.newBuilder().setLine("assistant").setVersion(3).build();
  private static final AdapterVersion OLD =
      AdapterVersion.newBuilder().setLine("assistant").setVersion(2).build();
  private static final LiveComparison COMPARISON = new LiveComparison(0.02, 2_000);

  @Test
  void theIntervalAgreesWithEveryPossiblePairOfResamples() {
    double[] first = {0.1, 0.4, 0.9};
    double[] second = {0.2, 0.3, 0.8, 1.0};
    double[] differences = new double[27 * 256];
    for (int r = 0; r < differences.length; r++) {
      int rest = r;
      for (int i = 0; i < 3; i++, rest /= 3) {
        differences[r] += first[rest % 3] / 3;
      }
      for (int i = 0; i < 4; i++, rest /= 4) {
        differences[r] -= second[rest % 4] / 4;
      }
    }
    Arrays.sort(differences);

    UnpairedBootstrap interval = UnpairedBootstrap.of(first, second, 0.05, 200_000, 11);

    assertThat(interval.difference()).isCloseTo(1.4 / 3 - 2.3 / 4, within(1e-12));
    assertThat(interval.low()).isCloseTo(PairedBootstrap.quantile(differences, 0.05), within(0.03));
    assertThat(interval.high())
        .isCloseTo(PairedBootstrap.quantile(differences, 0.95), within(0.03));
    assertThat(UnpairedBootstrap.of(first, second, 0.05, 1_000, 1))
        .isEqualTo(UnpairedBootstrap.of(first, second, 0.05, 1_000, 1))
        .isNotEqualTo(UnpairedBootstrap.of(first, second, 0.05, 1_000, 2));
  }

  @Test
  void nothingCannotBeCompared() {
    assertThatThrownBy(() -> UnpairedBootstrap.of(new double[0], new double[] {1}, 0.1, 10, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> UnpairedBootstrap.of(new double[] {1}, new double[0], 0.1, 10, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aSureFallIsToldWithItsNumbers() {
    GateDecision decision =
        COMPARISON.decide(opinions(40, 0.4, 1), opinions(60, 0.8, 2), 1, NEW, OLD, 5);

    assertThat(decision.getReleased()).isFalse();
    assertThat(decision.getDifferenceHigh()).isNegative();
    assertThat(decision.getSampleSize()).isEqualTo(40);
    assertThat(decision.getActive()).isEqualTo(OLD);
    assertThat(decision.getReason())
        .startsWith("Rolled back: the mean live rating is")
        .contains("by 40 raters of version 3 of assistant", "by 60 raters of version 2")
        .contains("97.50% interval"); // the first of several looks has half of the 5%
  }

  @Test
  void whatMayBeChanceOrIsTooLittleStays() {
    double[] few = {0.1, 0.9, 0.4, 0.8};
    double[] other = {0.3, 0.9, 0.6, 0.9};
    assertThat(COMPARISON.decide(few, other, 1, NEW, OLD, 1).getReleased()).isTrue();

    double[] level = new double[100];
    double[] little = new double[100];
    Arrays.fill(level, 0.8);
    Arrays.fill(little, 0.79);
    GateDecision sure = COMPARISON.decide(little, level, 1, NEW, OLD, 1);
    assertThat(sure.getDifferenceHigh()).isNegative();
    assertThat(sure.getReleased()).as("sure, but less than the margin").isTrue();
    assertThat(COMPARISON.decide(level, little, 1, NEW, OLD, 1).getReleased()).isTrue();
  }

  @Test
  void whoLooksAgainAndAgainIsStillRarelyWrong() {
    int rolledBack = 0;
    LiveComparison quick = new LiveComparison(0, 400);
    for (int run = 0; run < 200; run++) {
      double[] before = opinions(100, 0.6, 1_000 + run);
      double[] now = opinions(400, 0.6, 5_000 + run);
      for (int look = 1; look <= 4; look++) {
        double[] soFar = Arrays.copyOf(now, 25 << look);
        if (!quick.decide(soFar, before, look, NEW, OLD, run).getReleased()) {
          rolledBack++;
          break;
        }
      }
    }
    assertThat(rolledBack).as("of 200 releases that were as good").isLessThanOrEqualTo(10);
  }

  private static double[] opinions(int raters, double mean, long seed) {
    Random random = new Random(seed);
    double[] values = new double[raters];
    Arrays.setAll(values, i -> Math.max(0, Math.min(1, mean + 0.25 * random.nextGaussian())));
    return values;
  }
}
