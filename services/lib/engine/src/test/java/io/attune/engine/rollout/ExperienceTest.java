package io.attune.engine.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ExperienceTest {
  private static final int[] PROMPT = {1};
  private static final double[] TWO = {0, 0};

  @Test
  void everythingIsPerToken() {
    int[] ids = {4, 5};
    assertThat(new Experience(PROMPT, ids, TWO, TWO, null, null, null, null).length()).isEqualTo(2);
    double[] three = new double[3];
    refused(new int[0], ids, TWO, TWO, TWO, TWO, TWO, TWO, "'promptIds' is empty");
    refused(PROMPT, new int[0], TWO, TWO, TWO, TWO, TWO, TWO, "'completionIds' is empty");
    refused(PROMPT, ids, three, TWO, TWO, TWO, TWO, TWO, "'oldLogProbs' has 3 numbers");
    refused(PROMPT, ids, TWO, three, TWO, TWO, TWO, TWO, "'advantages' has 3 numbers");
    refused(PROMPT, ids, TWO, TWO, three, TWO, TWO, TWO, "'referenceLogProbs' has 3 numbers");
    refused(PROMPT, ids, TWO, TWO, TWO, three, TWO, TWO, "'returns' has 3 numbers");
    refused(PROMPT, ids, TWO, TWO, TWO, TWO, three, TWO, "'oldValues' has 3 numbers");
    refused(PROMPT, ids, TWO, TWO, TWO, TWO, TWO, three, "'importanceWeights' has 3 numbers");
    double[] broken = {0, Double.NaN};
    refused(PROMPT, ids, TWO, broken, TWO, TWO, TWO, TWO, "'advantages' is NaN at token 1");
    double[] negative = {-0.5, 1};
    refused(
        PROMPT, ids, TWO, TWO, TWO, TWO, TWO, negative, "'importanceWeights' is -0.5 at token 0");
  }

  private static void refused(
      int[] prompt,
      int[] completion,
      double[] old,
      double[] advantages,
      double[] reference,
      double[] returns,
      double[] values,
      double[] weights,
      String message) {
    assertThatThrownBy(
            () ->
                new Experience(
                    prompt, completion, old, advantages, reference, returns, values, weights))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void importanceWeights() {
    double[] old = {-1, -2, -1};
    double[] sampling = {-1 - Math.log(2), -2 + Math.log(4), Double.NaN};
    assertThat(ImportanceWeights.ofTokens(old, sampling))
        .containsExactly(new double[] {2, 0.25, 1}, within(1e-15));
    assertThat(ImportanceWeights.ofSequence(old, sampling))
        .containsExactly(new double[] {0.5, 0.5, 0.5}, within(1e-15));
    assertThat(ImportanceWeights.masked(new double[] {2, 0.25, 1}, 0.5, 1.5))
        .containsExactly(0, 0, 1);
    assertThatThrownBy(() -> ImportanceWeights.ofTokens(old, new double[2]))
        .hasMessageContaining("3 old log-probabilities, 2 of sampling");
    assertThatThrownBy(() -> ImportanceWeights.masked(old, 2, 1)).hasMessageContaining("'min' is");
  }

  @Test
  void longCompletionsArePunishedSoftly() {
    SoftOverlongPunishment punishment = new SoftOverlongPunishment(100, 20);
    assertThat(punishment.of(80)).isZero();
    assertThat(punishment.of(90)).isEqualTo(-0.5);
    assertThat(punishment.of(100)).isEqualTo(-1);
    assertThat(punishment.of(101)).isEqualTo(-1);
    assertThat(new SoftOverlongPunishment(10, 0).of(10)).isZero();
    assertThat(new SoftOverlongPunishment(10, 0).of(11)).isEqualTo(-1);
    assertThatThrownBy(() -> new SoftOverlongPunishment(10, 11))
        .hasMessageContaining("'soft_punish_cache' is 11");
  }
}
