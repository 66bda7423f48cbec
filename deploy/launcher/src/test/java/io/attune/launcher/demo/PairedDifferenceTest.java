package io.attune.launcher.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PairedDifferenceTest {
  @Test
  void intervalAgreesWithTheNormalApproximationForManyPairs() {
    int n = 400;
    Random random = new Random(4);
    double[] before = random.doubles(n).toArray();
    double[] after = Arrays.stream(before).map(b -> b + 0.1 + random.nextGaussian()).toArray();
    PairedDifference difference = PairedDifference.of(before, after, 1);
    double mean = 0;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      mean += (after[i] - before[i]) / n;
    }
    for (int i = 0; i < n; i++) {
      squares += Math.pow(after[i] - before[i] - mean, 2);
    }
    double half = 1.96 * Math.sqrt(squares / (n - 1) / n);
    assertThat(difference.mean()).isEqualTo(mean, within(1e-12));
    assertThat(difference.low()).isEqualTo(mean - half, within(0.1 * half));
    assertThat(difference.high()).isEqualTo(mean + half, within(0.1 * half));
  }

  @Test
  void noDifferenceIsNoImprovement() {
    double[] same = {0.1, 0.5, 0.9};
    assertThat(PairedDifference.of(same, same, 1).improved()).isFalse();
  }

  @Test
  void aRiseThatChanceExplainsIsNoImprovement() {
    PairedDifference difference =
        PairedDifference.of(new double[] {0, 0, 0, 0}, new double[] {1, -0.9, 1, -0.9}, 1);
    assertThat(difference.mean()).isPositive();
    assertThat(difference.improved()).isFalse();
  }

  @Test
  void aSteadyRiseIsAnImprovement() {
    PairedDifference difference =
        PairedDifference.of(new double[] {0.1, 0.2, 0.3}, new double[] {0.4, 0.5, 0.6}, 1);
    assertThat(difference.improved()).isTrue();
    assertThat(difference.low()).isEqualTo(0.3, within(1e-9));
  }

  @Test
  void refusesValuesThatDoNotPairUp() {
    assertThatThrownBy(() -> PairedDifference.of(new double[1], new double[2], 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must pair up");
  }
}
