package io.attune.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.tensor.Torch;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Smoothed log-probabilities against their formula written out, their derivatives with respect to
 * hidden states and head against finite differences of it.
 */
class LabelSmoothingTest {
  private static final int TOKENS = 3;
  private static final int SIZE = 4;
  private static final int VOCABULARY = 7;
  private static final long[] LABELS = {2, 6, 0};
  private static final double[] WEIGHT = {1, -0.5, 2};
  private static final double STEP = 1e-5;

  @ParameterizedTest
  @CsvSource({"0, 0", "0.1, 0", "0.4, 0", "0, 2", "0.3, 2"})
  void valuesAndDerivativesAreThoseOfTheFormula(double smoothing, double cap) {
    Random random = new Random(5);
    float[] hidden = draw(random, TOKENS * SIZE);
    float[] head = draw(random, VOCABULARY * SIZE);
    try (NDManager scope = Torch.scope("test");
        Torch.GradMode mode = Torch.gradMode(false)) {
      NDArray h = scope.create(hidden, new Shape(TOKENS, SIZE));
      Head w = new Head(scope.create(head, new Shape(VOCABULARY, SIZE)), null, cap);
      NDArray labels = scope.create(LABELS);
      LanguageHead.Reading reading = LanguageHead.read(scope, h, labels, w, true, smoothing);
      float[] values = reading.logProbs().toFloatArray();
      float[] unit = reading.unitGradient().toFloatArray();
      NDArray weight = scope.create(new float[] {1, -0.5f, 2});
      float[] byHead =
          LanguageHead.headGradient(scope, h, labels, weight, w, smoothing).toFloatArray();

      for (int t = 0; t < TOKENS; t++) {
        assertThat((double) values[t])
            .isCloseTo(formula(wide(hidden), wide(head), t, smoothing, cap), within(1e-5));
      }
      for (int i = 0; i < hidden.length; i++) {
        int token = i / SIZE;
        double slope = slope(wide(hidden), wide(head), true, i, token, smoothing, cap);
        assertThat((double) unit[i]).isCloseTo(slope, within(1e-4));
      }
      for (int i = 0; i < head.length; i++) {
        double slope = 0;
        for (int t = 0; t < TOKENS; t++) {
          slope += WEIGHT[t] * slope(wide(hidden), wide(head), false, i, t, smoothing, cap);
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
      double[] hidden, double[] head, boolean ofHidden, int i, int token, double e, double cap) {
    double[] moved = ofHidden ? hidden : head;
    moved[i] += STEP;
    double up = formula(hidden, head, token, e, cap);
    moved[i] -= 2 * STEP;
    double down = formula(hidden, head, token, e, cap);
    moved[i] += STEP;
    return (up - down) / (2 * STEP);
  }

  /** (1 - e) log p(label) + e / V sum of log p. */
  private static double formula(double[] hidden, double[] head, int token, double e, double cap) {
    double[] logits = new double[VOCABULARY];
    double sum = 0;
    for (int v = 0; v < VOCABULARY; v++) {
      for (int i = 0; i < SIZE; i++) {
        logits[v] += hidden[token * SIZE + i] * head[v * SIZE + i];
      }
      logits[v] = cap > 0 ? cap * Math.tanh(logits[v] / cap) : logits[v];
      sum += Math.exp(logits[v]);
    }
    double result = 0;
    for (int v = 0; v < VOCABULARY; v++) {
      double wanted = e / VOCABULARY + (v == LABELS[token] ? 1 - e : 0);
      result += wanted * (logits[v] - Math.log(sum));
    }
    return result;
  }
}
