package io.attune.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.tensor.Torch;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Derivatives through decoder, cross-attention, encoder and relative bias against finite
 * differences, for every weight of a model, sequences of different lengths side by side.
 */
class EncoderDecoderGradientTest {
  private static final List<int[]> SOURCES =
      List.of(new int[] {220, 168, 188, 111, 72}, new int[] {337, 255});
  private static final List<int[]> TARGETS =
      List.of(new int[] {2, 17, 99}, new int[] {2, 300, 41, 12});
  private static final double STEP = 1e-3;

  @ParameterizedTest
  @ValueSource(strings = {"t5", "t5-untied", "bart"})
  void everyWeightHasTheDerivativeThatDifferencesGive(String name) {
    HubLayout layout = HubLayout.of(Golden.path("models/" + name));
    EncoderDecoderModel model = (EncoderDecoderModel) Models.architecture(layout.config(), name);
    try (TensorReader file = layout.openWeights();
        Weights weights = Weights.read(model, file, true);
        NDManager scope = Torch.scope("gradients")) {
      EncoderDecoderNetwork network = new EncoderDecoderNetwork(model, weights::get);
      Random random = new Random(3);
      float[] coefficients = new float[7 * model.config().hiddenSize()];
      for (int i = 0; i < coefficients.length; i++) {
        coefficients[i] = (float) random.nextGaussian();
      }
      weights.parameters().values().forEach(leaf -> Torch.requireGradient(leaf, true));
      try (Torch.GradMode recorded = Torch.gradMode(true)) {
        NDArray hidden = hidden(scope, network);
        Torch.backward(hidden, scope.create(coefficients, hidden.getShape()));
      }
      for (Map.Entry<String, NDArray> parameter : weights.parameters().entrySet()) {
        if (parameter.getKey().equals("lm_head.weight")) {
          continue; // what is differentiated comes before the head
        }
        NDArray leaf = parameter.getValue();
        float[] at = leaf.toFloatArray();
        float[] direction = new float[at.length];
        float[] gradient = Torch.gradient(leaf, scope).toFloatArray();
        double expected = 0;
        double size = 0;
        for (int i = 0; i < at.length; i++) {
          direction[i] = (float) random.nextGaussian();
          expected += (double) gradient[i] * direction[i];
          size += (double) gradient[i] * gradient[i];
        }
        double up = moved(scope, network, leaf, at, direction, STEP, coefficients);
        double down = moved(scope, network, leaf, at, direction, -STEP, coefficients);
        moved(scope, network, leaf, at, direction, 0, coefficients);
        assertThat((up - down) / (2 * STEP))
            .as(parameter.getKey())
            .isCloseTo(expected, within(0.02 * Math.max(1, Math.sqrt(size))));
      }
    }
  }

  private static NDArray hidden(NDManager scope, EncoderDecoderNetwork network) {
    TokenBatch sources = TokenBatch.of(scope, SOURCES);
    TokenBatch targets = TokenBatch.of(scope, TARGETS);
    return network.hidden(scope, targets, network.memory(scope, sources), sources);
  }

  /** The sum of weighted hidden states with a weight moved along a direction, [N, E] in double. */
  private static double moved(
      NDManager parent,
      EncoderDecoderNetwork network,
      NDArray leaf,
      float[] at,
      float[] direction,
      double step,
      float[] coefficients) {
    try (NDManager scope = parent.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      float[] values = new float[at.length];
      for (int i = 0; i < at.length; i++) {
        values[i] = (float) (at[i] + step * direction[i]);
      }
      Torch.copy(scope.create(values, leaf.getShape()), leaf);
      float[] hidden = hidden(scope, network).toFloatArray();
      double sum = 0;
      for (int i = 0; i < hidden.length; i++) {
        sum += (double) hidden[i] * coefficients[i];
      }
      return sum;
    }
  }
}
