package io.attune.training.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class SharesTest {
  @Test
  void whoHasTooMuchIsCutToHisPartOfWhatIsThenLeft() {
    // 40 of 80 is half; 0.2 of 50 is 10.
    assertThat(Shares.capped(new double[] {40, 10, 10, 10, 10}, parts(5, 0.2)))
        .containsExactly(new double[] {10, 10, 10, 10, 10}, within(1e-9));
    assertThat(Shares.capped(new double[] {100, 20, 20}, parts(3, 0.5)))
        .containsExactly(new double[] {40, 20, 20}, within(1e-9));
    assertThat(Shares.capped(new double[] {0, 0}, parts(2, 0.5))).containsExactly(0, 0);
    assertThat(Shares.capped(new double[] {7}, parts(1, 1))).containsExactly(7);
  }

  @Test
  void thereIsTwiceTheRoomOfAnEqualPart() {
    assertThat(Shares.room(0.05, 1)).isEqualTo(1);
    assertThat(Shares.room(0.05, 4)).isEqualTo(0.5);
    assertThat(Shares.room(0.05, 1000)).isEqualTo(0.05);
  }

  /** Against the limit of cutting everybody to his part of the sum, again and again. */
  @RepeatedTest(200)
  void cutsNoMoreThanItMust(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    double[] weights = new double[1 + random.nextInt(8)];
    double[] parts = new double[weights.length];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = random.nextInt(4) == 0 ? 0 : Math.exp(3 * random.nextGaussian());
      parts[i] = Math.min(1, (1.1 + 2 * random.nextDouble()) / weights.length);
    }
    long heard = Arrays.stream(weights).filter(weight -> weight > 0).count();
    for (int i = 0; i < weights.length; i++) {
      parts[i] = Math.max(parts[i], heard == 0 ? 1 : 1.05 / heard);
    }
    double sum = Arrays.stream(weights).sum();
    for (int turn = 0; turn < 100_000; turn++) {
      double next = 0;
      for (int i = 0; i < weights.length; i++) {
        next += Math.min(weights[i], Math.min(1, parts[i]) * sum);
      }
      sum = next;
    }

    double[] capped = Shares.capped(weights, parts);

    for (int i = 0; i < weights.length; i++) {
      assertThat(capped[i])
          .isCloseTo(Math.min(weights[i], Math.min(1, parts[i]) * sum), within(1e-6 + 1e-6 * sum));
    }
  }

  private static double[] parts(int length, double each) {
    double[] parts = new double[length];
    Arrays.fill(parts, each);
    return parts;
  }
}
