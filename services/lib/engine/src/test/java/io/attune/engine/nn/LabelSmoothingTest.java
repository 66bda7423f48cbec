package io.attune.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.LanguageHead.Distribution;
import io.attune.engine.tensor.Torch;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Log-probabilities, smoothed and at a temperature, against their formula written out, their
 * derivatives with respect to hidden states and head against finite differences of it; entropies
 * against theirs.
 */
class LabelSmoothingTest {
  private static final int TOKENS = 3;
  private static final int SIZE = 4;
  private static final int VOCABULARY = 7;
  private static final long[] LABELS = {2, 6, 0};
  private static final double[] WEIGHT = {1, -0.5, 2};
  private static final double STEP = 1e-5;

  @ParameterizedTest
  @CsvSource({
    "0, 0, 1",
    "0.1, 0, 1",
    "0.4, 0, 1",
    "0, 2, 1",
    "0.3, 2, 1",
    "0, 0, 0.7",
    "0.1, 0, 1.5",
    "0, 2, 0.7",
    "0.3, 2, 1.5"
  })
  void valuesAndDerivativesAreThoseOfTheFormula(double smoothing, double cap, double temperature) {
    for (boolean entropy : new boolean[] {false, true}) {
      check(new Distribution(smoothing, temperature, entropy), cap);
    }
  }

  private static void check(Distribution off, double cap) {
    Random random = new Random(5);
    float[] hidden = draw(random, TOKENS * SIZE);
    float[] head = draw(random, VOCABULARY * SIZE);
    try (NDManager scope = Torch.scope("test");
        Torch.GradMode mode = Torch.gradMode(false)) {
      NDArray h = scope.create(hidden, new Shape(TOKENS, SIZE));
      Head w = new Head(scope.create(head, new Shape(VOCABULARY, SIZE)), null, cap);
      NDArray labels = scope.create(LABELS);
      LanguageHead.Reading reading = LanguageHead.read(scope, h, labels, w, true, off);
      float[] values = reading.logProbs().toFloatArray();
      float[] entropies = reading.entropy().toFloatArray();
      float[] unit = reading.unitGradient().toFloatArray();
      NDArray weight = scope.create(new float[] {1, -0.5f, 2});
      float[] byHead = LanguageHead.headGradient(scope, h, labels, weight, w, off).toFloatArray();

      assertThat(entropies).hasSize(off.entropy() ? TOKENS : 0);
      for (int t = 0; t < TOKENS; t++) {
        if (off.entropy()) {
          double[] all = logProbs(wide(hidden), wide(head), t, off.temperature(), cap);
          assertThat((double) entropies[t]).isCloseTo(entropy(all), within(1e-5));
        }
        assertThat((double) values[t])
            .isCloseTo(formula(wide(hidden), wide(head), t, off, cap), within(1e-5));
      }
      for (int i = 0; i < hidden.length; i++) {
        int token = i / SIZE;
        double slope = slope(wide(hidden), wide(head), true, i, token, off, cap);
        assertThat((double) unit[i]).isCloseTo(slope, within(1e-4));
      }
      for (int i = 0; i < head.length; i++) {
        double slope = 0;
        for (int t = 0; t < TOKENS; t++) {
          slope += WEIGHT[t] * slope(wide(hidden), wide(head), false, i, t, off, cap);
        }
        assertThat((double) byHead[i]).isCloseTo(slope, within(1e-4));
      }
    }
  }

  private static float[] draw(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static double[] wide(float[] values) {
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i];
    }
    return result;
  }

  private static double slope(
      double[] hidden,
      double[] head,
      boolean ofHidden,
      int i,
      int token,
      Distribution off,
      double cap) {
    double[] moved = ofHidden ? hidden : head;
    moved[i] += STEP;
    double up = formula(hidden, head, token, off, cap);
    moved[i] -= 2 * STEP;
    double down = formula(hidden, head, token, off, cap);
    moved[i] += STEP;
    return (up - down) / (2 * STEP);
  }

  /** (1 - e) log p(label) + e / V sum of log p. */
  private static double formula(
      double[] hidden, double[] head, int token, Distribution off, double cap) {
    double[] logProbs = logProbs(hidden, head, token, off.temperature(), cap);
    double result = 0;
    for (int v = 0; v < VOCABULARY; v++) {
      double wanted = off.smoothing() / VOCABULARY + (v == LABELS[token] ? 1 - off.smoothing() : 0);
      result += wanted * logProbs[v];
    }
    return result;
  }

  private static double entropy(double[] logProbs) {
    double sum = 0;
    for (double each : logProbs) {
      sum -= Math.exp(each) * each;
    }
    return sum;
  }

  private static double[] logProbs(
      double[] hidden, double[] head, int token, double temperature, double cap) {
    double[] logits = new double[VOCABULARY];
    double sum = 0;
    for (int v = 0; v < VOCABULARY; v++) {
      for (int i = 0; i < SIZE; i++) {
        logits[v] += hidden[token * SIZE + i] * head[v * SIZE + i];
      }
      logits[v] = (cap > 0 ? cap * Math.tanh(logits[v] / cap) : logits[v]) / temperature;
      sum += Math.exp(logits[v]);
    }
    for (int v = 0; v < VOCABULARY; v++) {
      logits[v] -= Math.log(sum);
    }
    return logits;
  }
}
