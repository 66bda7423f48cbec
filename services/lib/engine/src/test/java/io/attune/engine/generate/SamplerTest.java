package io.attune.engine.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {

  /** Probabilities 0.1, 0.4, 0.2, 0.3. */
  private static final float[] LOGITS = {
    (float) Math.log(0.1), (float) Math.log(0.4), (float) Math.log(0.2), (float) Math.log(0.3)
  };

  private static final int DRAWS = 500;

  @Test
  void drawsWithTheModelsProbabilities() {
    assertShares(seeded(), 0.1, 0.4, 0.2, 0.3);
  }

  @Test
  void temperatureSharpens() {
    // p^2, normalised: 0.01, 0.16, 0.04, 0.09 over 0.3.
    assertShares(seeded().temperature(0.5), 0.0333, 0.5333, 0.1333, 0.3);
  }

  @Test
  void drawsOnlyWhatTruncationLeaves() {
    assertShares(seeded().topK(2), 0, 4 / 7.0, 0, 3 / 7.0);
    assertShares(seeded().topP(0.45), 0, 4 / 7.0, 0, 3 / 7.0);
    assertShares(seeded().topP(1e-9), 0, 1, 0, 0);
    assertShares(seeded().minP(0.6), 0, 4 / 7.0, 0, 3 / 7.0);
    assertShares(seeded().topK(Integer.MAX_VALUE), 0.1, 0.4, 0.2, 0.3);
  }

  @Test
  void temperatureZeroIsTheLikeliestTokenAndTheSmallestIdOfEqualOnes() {
    assertThat(drawn(seeded().temperature(0), LOGITS)).containsOnly(1);
    float[] equal = {0, 3, 1, 3};
    assertThat(next(new Sampler(SamplingParameters.greedy(1), new int[0]), equal).id())
        .isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-3, 1e-7, 1e-40, Double.MIN_VALUE})
  void temperatureTowardsZeroBecomesGreedy(double temperature) {
    for (var parameters :
        List.of(seeded(), seeded().topK(3), seeded().topP(0.9), seeded().minP(0.1))) {
      assertThat(drawn(parameters.temperature(temperature), LOGITS)).containsOnly(1);
    }
  }

  /** As many tokens as a vocabulary, so that what is drawn lies beyond the first candidates. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 31})
  void drawsFromALargeVocabularyWithItsProbabilities(int remainder) {
    int size = 32 * 200 + remainder;
    float[] row = new float[size];
    Random random = new Random(3);
    double[] weights = new double[size];
    for (int i = 0; i < size; i++) {
      row[i] = (float) random.nextGaussian();
      weights[i] = Math.exp(row[i]);
    }
    double sum = Arrays.stream(weights).sum();
    // Ten groups of tokens, each by its probability.
    double[] expected = new double[10];
    for (int i = 0; i < size; i++) {
      expected[group(row[i])] += weights[i] / sum;
    }
    for (var parameters : List.of(seeded(), seeded().topP(0.999999), seeded().minP(1e-6))) {
      var sampler = new Sampler(parameters.build(), new int[0]);
      double[] counts = new double[10];
      for (int i = 0; i < DRAWS; i++) {
        counts[group(row[next(sampler, row).id()])]++;
      }
      for (int i = 0; i < 10; i++) {
        // Four standard deviations of a share are at most 0.09.
        assertThat(counts[i] / DRAWS).as("group %d", i).isCloseTo(expected[i], within(0.09));
      }
    }
  }

  private static int group(float logit) {
    return Math.max(0, Math.min(9, (int) (2 * logit + 4)));
  }

  @Test
  void numberDrawnStandsForAPlaceByProbabilityWhateverIsFetched() {
    float[] row = new float[5000];
    Random random = new Random(4);
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) random.nextGaussian() / 10;
    }
    row[2345] = Float.NEGATIVE_INFINITY;
    // The nucleus is wider than the first candidates; with its last tokens cut off it is the same.
    List<Integer> nearlyAll = drawn(seeded().topP(0.9), row);
    assertThat(nearlyAll).doesNotContain(2345).isEqualTo(drawn(seeded().topP(0.9), row));
    assertThat(nearlyAll).isNotEqualTo(drawn(seeded().topP(0.9).seed(8), row));
  }

  private static List<Integer> drawn(SamplingParameters.Builder parameters, float[] row) {
    var sampler = new Sampler(parameters.build(), new int[0]);
    return IntStream.range(0, 30).mapToObj(i -> next(sampler, row).id()).toList();
  }

  @Test
  void equalLogitsAreDrawnEqually() {
    float[] row = new float[4096];
    for (var parameters : List.of(seeded(), seeded().topK(5), seeded().minP(1))) {
      var sampler = new Sampler(parameters.build(), new int[0]);
      double mean =
          IntStream.range(0, 200).map(i -> next(sampler, row).id()).average().orElseThrow();
      // Four standard deviations of the mean.
      assertThat(mean).isCloseTo(2047.5, within(4 * 1182.4 / Math.sqrt(200)));
    }
  }

  @Test
  void logProbabilitiesAreTheModelsWhateverTheSampling() {
    var parameters =
        seeded()
            .temperature(0)
            .topP(0.5)
            .logitBias(Map.of(0, 100.0))
            .topLogProbabilities(3)
            .build();

    SampledToken token = next(new Sampler(parameters, new int[] {1}), LOGITS);

    assertThat(token.id()).isZero();
    assertThat(token.logProbability()).isCloseTo((float) Math.log(0.1), within(1e-6f));
    assertThat(token.top()).extracting(TokenLogProbability::id).containsExactly(1, 3, 2);
    double[] expected = {0.4, 0.3, 0.2};
    for (int i = 0; i < 3; i++) {
      assertThat(Math.exp(token.top().get(i).logProbability()))
          .isCloseTo(expected[i], within(1e-6));
    }
  }

  @Test
  void processedLogProbabilitiesAreThoseOfTheDraw() {
    double[] shares = {0.1, 0.4, 0.2, 0.3};
    for (double temperature : new double[] {0.5, 1, 2}) {
      var sampler =
          new Sampler(
              seeded().temperature(temperature).processedLogProbabilities(true).build(),
              new int[] {1});
      double sum = 0;
      for (double share : shares) {
        sum += Math.pow(share, 1 / temperature);
      }
      for (int i = 0; i < 10; i++) {
        SampledToken token = next(sampler, LOGITS);
        assertThat(Math.exp(token.logProbability()))
            .isCloseTo(Math.pow(shares[token.id()], 1 / temperature) / sum, within(1e-6));
      }
    }
  }

  @Test
  void processedLogProbabilitiesKnowOfBiasAndOfGreedyChoices() {
    var biased = seeded().logitBias(Map.of(0, Math.log(7))).processedLogProbabilities(true);
    SampledToken token = next(new Sampler(biased.temperature(1).build(), new int[0]), LOGITS);
    double weight = token.id() == 0 ? 0.7 : new double[] {0.1, 0.4, 0.2, 0.3}[token.id()];

    assertThat(Math.exp(token.logProbability())).isCloseTo(weight / 1.6, within(1e-6));
    assertThat(
            next(new Sampler(biased.temperature(0).build(), new int[0]), LOGITS).logProbability())
        .isZero();
  }

  @Test
  void likeliestOfEqualTokensAreThoseWithTheSmallestIds() {
    float[] row = new float[3000];
    row[17] = 1;
    var parameters = SamplingParameters.greedy(1).toBuilder().topLogProbabilities(20).build();

    List<TokenLogProbability> top = next(new Sampler(parameters, new int[0]), row).top();

    List<Integer> expected = new ArrayList<>(List.of(17));
    IntStream.range(0, 17).forEach(expected::add);
    expected.addAll(List.of(18, 19));
    assertThat(top).extracting(TokenLogProbability::id).isEqualTo(expected);
    assertThat(next(new Sampler(parameters, new int[0]), LOGITS).top()).hasSize(4);
  }

  @Test
  void logitsWithoutANumberAreRefused() {
    for (float[] broken :
        List.of(
            new float[] {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY},
            new float[] {1, Float.NaN, 2},
            new float[] {1, Float.POSITIVE_INFINITY})) {
      for (var parameters : List.of(seeded(), seeded().temperature(0), seeded().topP(0.5))) {
        var sampler = new Sampler(parameters.build(), new int[] {1});
        assertThatThrownBy(() -> next(sampler, broken))
            .isInstanceOfSatisfying(
                EngineException.class,
                refused -> assertThat(refused.reason()).isEqualTo(Reason.DIVERGED));
      }
    }
  }

  @Test
  void tokensThatAreImpossibleAreNeverDrawn() {
    float[] row = {Float.NEGATIVE_INFINITY, 0, Float.NEGATIVE_INFINITY, 0};
    for (var parameters : List.of(seeded(), seeded().topK(3), seeded().topP(0.99))) {
      assertThat(drawn(parameters, row)).containsOnly(1, 3);
    }
  }

  private static void assertShares(SamplingParameters.Builder parameters, double... expected) {
    var sampler = new Sampler(parameters.build(), new int[0]);
    int[] counts = new int[LOGITS.length];
    for (int i = 0; i < DRAWS; i++) {
      counts[next(sampler, LOGITS).id()]++;
    }
    for (int i = 0; i < counts.length; i++) {
      // Four standard deviations of a share are at most 0.09.
      assertThat(counts[i] / (double) DRAWS).as("token %d", i).isCloseTo(expected[i], within(0.09));
      if (expected[i] == 0) {
        assertThat(counts[i]).isZero();
      }
    }
  }

  private static SamplingParameters.Builder seeded() {
    return SamplingParameters.builder().seed(7);
  }

  /** The next token; of what is computed on the way nothing stays. */
  private static SampledToken next(Sampler sampler, float[] row) {
    try (NDManager scope = Torch.scope("test")) {
      NDArray rows = scope.create(row, new Shape(1, row.length));
      return sampler.next(Logits.row(scope, rows, 0));
    }
  }
}
