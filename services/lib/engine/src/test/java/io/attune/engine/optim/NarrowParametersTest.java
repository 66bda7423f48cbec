package io.attune.engine.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.optim.GroupedOptimizer.NarrowParameters;
import io.attune.engine.tensor.Bfloat16;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Parameters in bfloat16: what is lost in rounding, and what is not. */
class NarrowParametersTest {
  private static final AdamW.Config ADAM = AdamW.Config.DEFAULT;
  private static final String NAME = "weight";

  private static float rounded(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
  }

  /** A bfloat16 leaf and its optimizer, which gradients are given to. */
  private static final class Trained implements AutoCloseable {
    final NDManager scope = Torch.scope("test");
    final NDArray leaf;
    final GroupedOptimizer optimizer;

    Trained(float[] start, Shape shape, Optimizer rule, NarrowParameters narrow, long seed) {
      leaf = Bfloat16.of(scope.create(start, shape), scope);
      Torch.requireGradient(leaf, true);
      optimizer =
          new GroupedOptimizer(
              rule,
              Map.of(NAME, leaf),
              List.of(new ParameterGroup(List.of(NAME), 1, 0.01)),
              0,
              narrow,
              seed);
    }

    void step(float[] gradient, double rate) {
      Torch.backward(leaf, Bfloat16.of(scope.create(gradient, leaf.getShape()), scope));
      optimizer.step(rate, 1);
    }

    float[] values() {
      return Bfloat16.widened(leaf, scope).toFloatArray();
    }

    @Override
    public void close() {
      Torch.requireGradient(leaf, false);
      optimizer.close();
      scope.close();
    }
  }

  private static float[] filled(int size, float value) {
    float[] values = new float[size];
    Arrays.fill(values, value);
    return values;
  }

  @Test
  void masterWeightsAreTrainedInFloat32() {
    int size = 300;
    float[] start = new float[size];
    for (int i = 0; i < size; i++) {
      start[i] = rounded(OptimizerProblem.uniform(1, i) - 0.5f);
    }
    double[] master = new double[size];
    double[] m = new double[size];
    double[] v = new double[size];
    for (int i = 0; i < size; i++) {
      master[i] = start[i];
    }
    try (Trained trained =
        new Trained(start, new Shape(size), new AdamW(ADAM), NarrowParameters.MASTER_WEIGHTS, 1)) {
      for (int step = 1; step <= 20; step++) {
        float[] gradient = trained.values(); // of half the square
        trained.step(gradient, 1e-3);
        for (int i = 0; i < size; i++) {
          master[i] *= 1 - 1e-3 * 0.01;
          m[i] = 0.9 * m[i] + 0.1 * gradient[i];
          v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
          double root = Math.sqrt(v[i] / (1 - Math.pow(0.999, step)));
          master[i] -= 1e-3 * m[i] / (1 - Math.pow(0.9, step)) / (root + 1e-8);
        }
      }
      float[] copy = trained.optimizer.state().get("master." + NAME).toFloatArray();
      float[] narrow = trained.values();
      for (int i = 0; i < size; i++) {
        assertThat((double) copy[i]).isCloseTo(master[i], within(1e-6));
        assertThat(narrow[i]).isEqualTo(rounded(copy[i]));
      }
    }
  }

  static List<Supplier<Optimizer>> rules() {
    return List.of(
        () -> new AdamW(ADAM),
        () -> new AdamW8bit(ADAM, Set.of()),
        () -> new Adafactor(Adafactor.Config.DEFAULT));
  }

  /** An update of an eighth of the distance to the next bfloat16 happens to an eighth of them. */
  @ParameterizedTest
  @MethodSource("rules")
  void stochasticRoundingIsRightOnAverage(Supplier<Optimizer> rule) {
    int size = 1 << 16;
    float next = 1 + 0x1p-7f;
    try (Trained trained =
        new Trained(
            filled(size, 1),
            new Shape(256, 256),
            rule.get(),
            NarrowParameters.STOCHASTIC_ROUNDING,
            3)) {
      trained.step(filled(size, -1), 0x1p-10); // all rules' first step is the rate itself
      int up = 0;
      for (float value : trained.values()) {
        assertThat(value).isIn(1f, next, 1 - 0x1p-8f);
        up += value == next ? 1 : 0;
      }
      double deviation = Math.sqrt(size * 0.125 * 0.875);
      assertThat((double) up).isCloseTo(size * 0.125, within(6 * deviation));
    }
  }

  @Test
  void chanceFollowsFromSeedAndStep() {
    List<float[]> ends = new ArrayList<>();
    for (long seed : new long[] {7, 7, 8}) {
      try (Trained trained =
          new Trained(
              filled(500, 1),
              new Shape(500),
              new AdamW(ADAM),
              NarrowParameters.STOCHASTIC_ROUNDING,
              seed)) {
        for (int step = 0; step < 4; step++) {
          Torch.seed(ends.size()); // what others drew before does not matter
          trained.step(filled(500, -1), 1e-3);
        }
        ends.add(trained.values());
      }
    }
    assertThat(ends.get(1)).isEqualTo(ends.get(0));
    assertThat(ends.get(2)).isNotEqualTo(ends.get(0));
  }
}
