package io.attune.engine.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.rollout.RewardNormalizer.Mode;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RewardNormalizerTest {
  @Test
  void runningMomentsAreThoseOfAllScoresSoFar() {
    Random random = new Random(3);
    RewardNormalizer normalizer = new RewardNormalizer(Mode.RUNNING, 1, Moments.NONE);
    List<Double> all = new ArrayList<>();
    for (int size : new int[] {5, 1, 8, 30}) {
      double[] scores = random.doubles(size, 90, 110).toArray();
      for (double score : scores) {
        all.add(score);
      }
      double mean = all.stream().mapToDouble(x -> x).sum() / all.size();
      double squares = all.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum();
      double deviation = Math.sqrt(squares / (all.size() - 1));
      double[] actual = normalizer.normalize(scores);
      for (int i = 0; i < size; i++) {
        assertThat(actual[i]).isCloseTo((scores[i] - mean) / (deviation + 1e-8), within(1e-12));
      }
    }
    assertThat(normalizer.seen().count()).isEqualTo(44);
  }

  @Test
  void aResumedRunGoesOnWhereItStopped() {
    double[] first = {1, 2, 7};
    double[] second = {-3, 0.5};
    RewardNormalizer whole = new RewardNormalizer(Mode.RUNNING, 1, Moments.NONE);
    whole.normalize(first);
    RewardNormalizer resumed = new RewardNormalizer(Mode.RUNNING, 1, whole.seen());
    assertThat(resumed.normalize(second)).containsExactly(whole.normalize(second));
  }

  @Test
  void groupsAreNormalisedByThemselves() {
    RewardNormalizer normalizer = new RewardNormalizer(Mode.GROUP, 2, Moments.NONE);
    double[] actual = normalizer.normalize(new double[] {1, 3, 10, 10});
    double expected = 1 / Math.sqrt(2);
    assertThat(actual).containsExactly(new double[] {-expected, expected, 0, 0}, within(1e-7));
  }

  @Test
  void missingAndLonelyScores() {
    RewardNormalizer running = new RewardNormalizer(Mode.RUNNING, 1, Moments.NONE);
    assertThat(running.normalize(new double[] {Double.NaN})).containsExactly(Double.NaN);
    assertThat(running.normalize(new double[] {7, Double.NaN})).containsExactly(0, Double.NaN);
    assertThat(running.seen().count()).isEqualTo(1);
    RewardNormalizer none = new RewardNormalizer(Mode.NONE, 1, Moments.NONE);
    assertThat(none.normalize(new double[] {5, -5})).containsExactly(5, -5);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> new RewardNormalizer(Mode.GROUP, 1, Moments.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'num_generations' is 1");
    assertThatThrownBy(() -> new Moments(3, Double.NaN, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("mean NaN");
  }
}
