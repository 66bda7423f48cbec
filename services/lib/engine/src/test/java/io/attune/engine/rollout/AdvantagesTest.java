package io.attune.engine.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.rollout.Advantages.OfCompletions;
import io.attune.engine.rollout.Advantages.OfTokens;
import io.attune.engine.rollout.Advantages.ScaleRewards;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Advantages against the papers' definitions over padded arrays. */
class AdvantagesTest {

  /** Equation 16 of arXiv 1506.02438 as a sum, not as the recursion that computes it. */
  @Test
  void generalizedAdvantagesAreTheSumsOfThePaper() {
    for (long seed = 0; seed < 50; seed++) {
      Padded batch = new Padded(seed);
      double[][] rewards = batch.normal(0, 1);
      double[][] values = batch.normal(0.5, 1);
      double gamma = seed % 3 == 0 ? 1 : batch.random().nextDouble();
      double lambda = seed % 5 == 0 ? 1 : batch.random().nextDouble();
      OfTokens actual =
          Advantages.generalized(batch.ragged(rewards), batch.ragged(values), gamma, lambda);
      for (int i = 0; i < batch.rows; i++) {
        for (int t = 0; t < batch.length(i); t++) {
          double sum = 0;
          for (int l = 0; t + l < batch.width; l++) {
            double next =
                t + l + 1 < batch.width ? batch.mask[i][t + l + 1] * values[i][t + l + 1] : 0;
            double residual = rewards[i][t + l] + gamma * next - values[i][t + l];
            sum += batch.mask[i][t + l] * Math.pow(gamma * lambda, l) * residual;
          }
          assertThat(actual.advantages()[i][t]).isCloseTo(sum, within(1e-12));
          assertThat(actual.returns()[i][t]).isCloseTo(sum + values[i][t], within(1e-12));
        }
      }
    }
  }

  /** With lambda 1 advantages are what came less what was expected, with 0 one step's surprise. */
  @Test
  void lambdaGoesFromOneStepToAll() {
    double[][] rewards = {{1, 2, 4}};
    double[][] values = {{3, 5, 7}};
    assertThat(Advantages.generalized(rewards, values, 0.5, 1).returns()[0])
        .containsExactly(3, 4, 4);
    assertThat(Advantages.generalized(rewards, values, 0.5, 0).advantages()[0])
        .containsExactly(1 + 2.5 - 3, 2 + 3.5 - 5, 4 - 7);
  }

  @Test
  void whiteningIsOverTheMask() {
    for (long seed = 0; seed < 50; seed++) {
      Padded batch = new Padded(seed);
      double[][] values = batch.normal(3, 2);
      double[][] expected = naiveWhiten(batch, values);
      double mean = naiveMean(batch, values);
      double[][] shifted = Advantages.whiten(batch.ragged(values), true);
      double[][] kept = Advantages.whiten(batch.ragged(values), false);
      for (int i = 0; i < batch.rows; i++) {
        for (int t = 0; t < batch.length(i); t++) {
          assertThat(shifted[i][t]).isCloseTo(expected[i][t], within(1e-12));
          assertThat(kept[i][t]).isCloseTo(expected[i][t] + mean, within(1e-12));
        }
      }
    }
  }

  private static double naiveMean(Padded batch, double[][] values) {
    double sum = 0;
    for (int i = 0; i < batch.rows; i++) {
      for (int t = 0; t < batch.width; t++) {
        sum += batch.mask[i][t] * values[i][t];
      }
    }
    return sum / batch.tokens();
  }

  private static double[][] naiveWhiten(Padded batch, double[][] values) {
    double mean = naiveMean(batch, values);
    double[][] squares = new double[batch.rows][batch.width];
    double[][] result = new double[batch.rows][batch.width];
    for (int i = 0; i < batch.rows; i++) {
      for (int t = 0; t < batch.width; t++) {
        squares[i][t] = Math.pow(values[i][t] - mean, 2);
      }
    }
    double variance = naiveMean(batch, squares) * batch.tokens() / (batch.tokens() - 1);
    for (int i = 0; i < batch.rows; i++) {
      for (int t = 0; t < batch.width; t++) {
        result[i][t] = batch.mask[i][t] * (values[i][t] - mean) / Math.sqrt(variance + 1e-8);
      }
    }
    return result;
  }

  @Test
  void groupsAreComparedWithThemselves() {
    Random random = new Random(11);
    for (int round = 0; round < 50; round++) {
      int n = 2 + random.nextInt(6);
      int prompts = 1 + random.nextInt(4);
      double[] rewards = random.doubles((long) n * prompts, -3, 3).toArray();
      double ofAll = deviation(rewards);
      OfCompletions group = Advantages.groupRelative(rewards, n, ScaleRewards.GROUP);
      OfCompletions batch = Advantages.groupRelative(rewards, n, ScaleRewards.BATCH);
      OfCompletions none = Advantages.groupRelative(rewards, n, ScaleRewards.NONE);
      OfCompletions leftOut = Advantages.leaveOneOut(rewards, n, false);
      for (int p = 0; p < prompts; p++) {
        double[] own = Arrays.copyOfRange(rewards, p * n, (p + 1) * n);
        double mean = Arrays.stream(own).sum() / n;
        for (int k = 0; k < n; k++) {
          int i = p * n + k;
          assertThat(group.advantages()[i])
              .isCloseTo((own[k] - mean) / (deviation(own) + 1e-4), within(1e-12));
          assertThat(batch.advantages()[i])
              .isCloseTo((own[k] - mean) / (ofAll + 1e-4), within(1e-12));
          assertThat(none.advantages()[i]).isCloseTo(own[k] - mean, within(1e-12));
          double others = 0;
          for (int j = 0; j < n; j++) {
            others += j == k ? 0 : own[j] / (n - 1);
          }
          assertThat(leftOut.advantages()[i]).isCloseTo(own[k] - others, within(1e-12));
        }
      }
      assertThat(group.fracRewardZeroStd()).isZero();
    }
  }

  private static double deviation(double[] values) {
    double mean = Arrays.stream(values).sum() / values.length;
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    return Math.sqrt(squares / (values.length - 1));
  }

  /** All alike, all missing, one of four missing: what trl's advantages are is in the reference. */
  @Test
  void groupsThatTeachNothingAreReported() {
    double nan = Double.NaN;
    double[] rewards = {0.3, 0.3, 0.3, 0.3, nan, nan, nan, nan, 1, nan, 2, 3, nan, 5, nan, nan};
    for (ScaleRewards scale : ScaleRewards.values()) {
      OfCompletions result = Advantages.groupRelative(rewards, 4, scale);
      assertThat(result.zeroStd()).containsExactly(true, true, false, true);
      assertThat(result.fracRewardZeroStd()).isEqualTo(0.75);
      assertThat(Arrays.copyOf(result.advantages(), 8)).containsOnly(0);
      assertThat(result.advantages()[9]).isZero();
      assertThat(result.advantages()[8]).isNegative();
      assertThat(Arrays.copyOfRange(result.advantages(), 12, 16)).containsOnly(0);
    }
    OfCompletions result = Advantages.leaveOneOut(rewards, 4, false);
    assertThat(result.zeroStd()).containsExactly(true, true, false, true);
    assertThat(Arrays.copyOfRange(result.advantages(), 8, 16))
        .containsExactly(1 - 2.5, 0, 2 - 2, 3 - 1.5, 0, 0, 0, 0);
  }

  @Test
  void reinforcePlusPlusWhitensDiscountedSums() {
    for (long seed = 0; seed < 50; seed++) {
      Padded batch = new Padded(seed);
      double[][] rewards = batch.normal(0, 1);
      double gamma = seed % 2 == 0 ? 1 : 0.9;
      double[][] sums = new double[batch.rows][batch.width];
      for (int i = 0; i < batch.rows; i++) {
        for (int t = 0; t < batch.width; t++) {
          for (int s = t; s < batch.width; s++) {
            sums[i][t] += batch.mask[i][s] * Math.pow(gamma, s - t) * rewards[i][s];
          }
        }
      }
      double[][] expected = naiveWhiten(batch, sums);
      OfTokens actual = Advantages.reinforcePlusPlus(batch.ragged(rewards), gamma);
      for (int i = 0; i < batch.rows; i++) {
        for (int t = 0; t < batch.length(i); t++) {
          assertThat(actual.returns()[i][t]).isCloseTo(sums[i][t], within(1e-12));
          assertThat(actual.advantages()[i][t]).isCloseTo(expected[i][t], within(1e-12));
        }
      }
    }
  }

  @Test
  void reinforcePlusPlusBaselineWhitensWhatIsLeftOfTheGroups() {
    double[] rewards = {1, 4, 2, -2, Double.NaN, 0};
    int[] lengths = {1, 3, 2, 2, 4, 1};
    OfTokens actual = Advantages.reinforcePlusPlusBaseline(rewards, 3, lengths);
    double third = 1 / 3.0;
    double[] apart = {1 - 7 * third, 4 - 7 * third, 2 - 7 * third, -1, 0, 1};
    double[] tokens = {
      apart[0], apart[1], apart[1], apart[1], apart[2], apart[2], apart[3], apart[3], apart[5]
    };
    double mean = Arrays.stream(tokens).sum() / 9;
    double scale = Math.sqrt(Math.pow(deviation(tokens), 2) + 1e-8);
    for (int row = 0; row < lengths.length; row++) {
      double expected = row == 4 ? 0 : (apart[row] - mean) / scale;
      assertThat(actual.advantages()[row]).hasSize(lengths[row]);
      for (double value : actual.advantages()[row]) {
        assertThat(value).isCloseTo(expected, within(1e-12));
      }
      for (double value : actual.returns()[row]) {
        assertThat(value).isCloseTo(apart[row], within(1e-12));
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    double[][] one = {{1}};
    refused(() -> Advantages.generalized(one, one, 1.1, 1), "'gamma' is 1.1");
    refused(() -> Advantages.generalized(one, one, 1, -0.1), "'lam' is -0.1");
    refused(() -> Advantages.generalized(one, new double[2][1], 1, 1), "2 rows of values");
    refused(() -> Advantages.generalized(one, new double[1][2], 1, 1), "2 values of a completion");
    refused(() -> Advantages.whiten(one, true), "a batch of 1 tokens");
    refused(() -> Advantages.reinforcePlusPlus(one, Double.NaN), "'gamma' is NaN");
    refused(
        () -> Advantages.groupRelative(new double[4], 1, ScaleRewards.NONE),
        "'num_generations' is 1");
    refused(() -> Advantages.leaveOneOut(new double[5], 2, false), "5 rewards");
    refused(() -> Advantages.perToken(new double[2], new int[3]), "3 lengths");
    refused(() -> ScaleRewards.named("std"), "'scale_rewards' is std");
    assertThat(ScaleRewards.named("batch")).isEqualTo(ScaleRewards.BATCH);
  }

  private static void refused(Runnable made, String message) {
    assertThatThrownBy(made::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
