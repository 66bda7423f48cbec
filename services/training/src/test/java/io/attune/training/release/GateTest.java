package io.attune.training.release;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.common.v1.AdapterVersion;
import io.attune.training.v1.GateDecision;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GateTest {
  private static final Gate GATE = new Gate(0.1, 10_000, 7);
  private static final AdapterVersion ACTIVE =
      AdapterVersion.newBuilder().setLine("assistant").setVersion(2).build();
  private static final Gate.Words WORDS =
      new Gate.Words("mean reward", "held-out prompts", "version 3", "version 2");

  @Test
  void quantilesAreLinearBetweenNeighbours() {
    double[] sorted = {1, 2, 4, 8};

    // numpy.quantile([1, 2, 4, 8], [0, 0.025, 0.5, 0.75, 1])
    assertThat(PairedBootstrap.quantile(sorted, 0)).isEqualTo(1);
    assertThat(PairedBootstrap.quantile(sorted, 0.025)).isCloseTo(1.075, within(1e-12));
    assertThat(PairedBootstrap.quantile(sorted, 0.5)).isEqualTo(3);
    assertThat(PairedBootstrap.quantile(sorted, 0.75)).isEqualTo(5);
    assertThat(PairedBootstrap.quantile(sorted, 1)).isEqualTo(8);
  }

  @Test
  void theIntervalAgreesWithEveryPossibleResample() {
    double[] differences = {-0.3, 0.1, 0.2, 0.5, 0.9};
    // All 5^5 resamples, each as likely as any other: the exact bootstrap distribution.
    double[] means = new double[3125];
    for (int r = 0; r < means.length; r++) {
      for (int i = 0, rest = r; i < 5; i++, rest /= 5) {
        means[r] += differences[rest % 5] / 5;
      }
    }
    Arrays.sort(means);

    PairedBootstrap interval = PairedBootstrap.of(differences, 200_000, 11);

    assertThat(interval.mean()).isCloseTo(0.28, within(1e-12));
    assertThat(interval.low()).isCloseTo(PairedBootstrap.quantile(means, 0.025), within(0.021));
    assertThat(interval.high()).isCloseTo(PairedBootstrap.quantile(means, 0.975), within(0.021));
  }

  @Test
  void theIntervalOfManyDifferencesIsTheNormalOne() {
    Random random = new Random(5);
    double[] differences = random.doubles(2_000).map(u -> u - 0.3).toArray();
    double mean = Arrays.stream(differences).average().orElseThrow();
    double variance =
        Arrays.stream(differences).map(d -> (d - mean) * (d - mean)).average().orElseThrow();
    double half = 1.959964 * Math.sqrt(variance / differences.length);

    PairedBootstrap interval = PairedBootstrap.of(differences, 10_000, 3);

    assertThat(interval.low()).isCloseTo(mean - half, within(half * 0.05));
    assertThat(interval.high()).isCloseTo(mean + half, within(half * 0.05));
  }

  @Test
  void theSameSeedMakesTheSameInterval() {
    double[] differences = {0.1, 0.4, -0.2, 0.3};

    assertThat(PairedBootstrap.of(differences, 1_000, 1))
        .isEqualTo(PairedBootstrap.of(differences, 1_000, 1))
        .isNotEqualTo(PairedBootstrap.of(differences, 1_000, 2));
  }

  @Test
  void nothingCannotBeCompared() {
    assertThatThrownBy(() -> PairedBootstrap.of(new double[0], 10, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void releasesWhatIsBetterByTheMarginAndSurelySo() {
    double[] active = {0.1, 0.2, 0.3, 0.4};
    double[] candidate = {0.3, 0.4, 0.5, 0.6};

    GateDecision decision = GATE.decide(candidate, active, ACTIVE, WORDS);

    assertThat(decision.getReleased()).isTrue();
    assertThat(decision.getDifference()).isCloseTo(0.2, within(1e-12));
    assertThat(decision.getCandidateMean()).isCloseTo(0.45, within(1e-12));
    assertThat(decision.getActiveMean()).isCloseTo(0.25, within(1e-12));
    assertThat(decision.getSampleSize()).isEqualTo(4);
    assertThat(decision.getActive()).isEqualTo(ACTIVE);
    assertThat(decision.getMetric()).isEqualTo("mean reward on held-out prompts");
    assertThat(decision.getReason())
        .isEqualTo(
            "Released: mean reward on 4 held-out prompts is 0.4500 for version 3 and 0.2500 for"
                + " version 2, a difference of +0.2000 (95% interval +0.2000 to +0.2000);"
                + " at least +0.1000 above 0 is asked for.");
  }

  @Test
  void refusesADifferenceBelowTheMargin() {
    GateDecision decision =
        GATE.decide(new double[] {0.15, 0.25}, new double[] {0.1, 0.2}, ACTIVE, WORDS);

    assertThat(decision.getReleased()).isFalse();
    assertThat(decision.getDifferenceLow()).isPositive();
    assertThat(decision.getReason()).startsWith("Refused, the margin is not reached");
  }

  @Test
  void refusesADifferenceThatMayBeChance() {
    double[] active = {0, 0, 0, 0};
    double[] candidate = {1, -0.4, 0.6, -0.2};

    GateDecision decision = GATE.decide(candidate, active, ACTIVE, WORDS);

    assertThat(decision.getDifference()).isGreaterThan(0.1);
    assertThat(decision.getDifferenceLow()).isNegative();
    assertThat(decision.getReleased()).isFalse();
    assertThat(decision.getReason()).startsWith("Refused, the difference may be chance");
  }

  @Test
  void refusesWhatIsWorse() {
    GateDecision decision =
        GATE.decide(new double[] {0, 0}, new double[] {0.5, 0.5}, ACTIVE, WORDS);

    assertThat(decision.getReleased()).isFalse();
    assertThat(decision.getDifference()).isEqualTo(-0.5);
  }

  @Test
  void theMarginItselfIsEnough() {
    assertThat(
            GATE.decide(new double[] {0.4, 0.4}, new double[] {0.3, 0.3}, ACTIVE, WORDS)
                .getReleased())
        .isTrue();
  }

  @Test
  void anExamCountsRightlyOrderedPairsAndEachPromptOnce() {
    RewardExam exam =
        new RewardExam(
            1,
            false,
            List.of(
                new RewardExam.Scores("p1", 0.9, 0.1, 0.2, 0.8),
                new RewardExam.Scores("p1", 0.1, 0.9, 0.8, 0.2),
                new RewardExam.Scores("p2", 0.5, 0.5, 0.9, 0.1)));

    assertThat(exam.candidate()).containsExactly(0.5, 0.5);
    assertThat(exam.active()).containsExactly(0.5, 1.0);
  }

  @Test
  void theFirstRewardModelIsComparedWithChance() {
    RewardExam exam =
        new RewardExam(0, false, List.of(new RewardExam.Scores("p", 0.9, 0.1, null, null)));

    assertThat(exam.active()).containsExactly(0.5);
  }

  @Test
  void answersToOnePromptAreAveraged() {
    assertThat(PolicyGate.meanOfEach(new double[] {1, 0, 0.5, 0.5}, 2)).containsExactly(0.5, 0.5);
  }
}
