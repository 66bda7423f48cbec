package io.attune.engine.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class SamplerTest {

  /** Probabilities 0.1, 0.4, 0.2, 0.3. */
  private static final float[] LOGITS = {
    (float) Math.log(0.1), (float) Math.log(0.4), (float) Math.log(0.2), (float) Math.log(0.3)
  };

  private static final int DRAWS = 20_000;

  @Test
  void drawsWithTheModelsProbabilities() {
    assertShares(parameters(1, 0, 1), 0.1, 0.4, 0.2, 0.3);
  }

  @Test
  void temperatureSharpens() {
    // p^2, normalised: 0.01, 0.16, 0.04, 0.09 over 0.3.
    assertShares(parameters(0.5, 0, 1), 0.0333, 0.5333, 0.1333, 0.3);
  }

  @Test
  void topKKeepsTheLikeliest() {
    assertShares(parameters(1, 2, 1), 0, 4 / 7.0, 0, 3 / 7.0);
  }

  @Test
  void topPKeepsTheTokenThatReachesIt() {
    assertShares(parameters(1, 0, 0.45), 0, 4 / 7.0, 0, 3 / 7.0);
    assertShares(parameters(1, 0, 0.01), 0, 1, 0, 0);
  }

  @Test
  void temperatureZeroIsTheLikeliestToken() {
    assertShares(parameters(0, 0, 1), 0, 1, 0, 0);
  }

  @Test
  void logProbabilityIsTheModelsWhateverTheSampling() {
    assertThat(Sampler.logProbability(LOGITS, 2)).isCloseTo((float) Math.log(0.2), within(1e-6f));
  }

  private static void assertShares(SamplingParameters parameters, double... expected) {
    var sampler = new Sampler(parameters);
    int[] counts = new int[LOGITS.length];
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.next(LOGITS)]++;
    }
    for (int i = 0; i < counts.length; i++) {
      // Three standard deviations of a share are at most 0.0106.
      assertThat(counts[i] / (double) DRAWS)
          .as("token %d", i)
          .isCloseTo(expected[i], within(0.015));
      if (expected[i] == 0) {
        assertThat(counts[i]).isZero();
      }
    }
  }

  private static SamplingParameters parameters(double temperature, int topK, double topP) {
    return new SamplingParameters(temperature, topK, topP, 1, List.of(), OptionalLong.of(7));
  }
}
