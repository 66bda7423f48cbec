package io.attune.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.tensor.Torch;
import io.attune.engine.token.TokenizedText;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The derivative of every weight of an encoder and its head, through attention in both directions
 * over texts of unequal lengths, against central differences along a random direction.
 */
class EncoderGradientTest {
  private static final double STEP = 1e-2;

  private static final List<TokenizedText> TEXTS =
      List.of(
          new TokenizedText(new int[] {2, 40, 77, 3, 61, 90, 3}, new int[] {0, 0, 0, 0, 1, 1, 1}),
          TokenizedText.of(2, 55, 3),
          TokenizedText.of(2, 14, 200, 131, 3));

  @ParameterizedTest
  @CsvSource({
    "bert-classifier,true",
    "bert-tokens,true",
    "roberta-classifier,false",
    "distilbert-classifier,false",
    "distilbert-tokens,false"
  })
  void everyWeightHasItsDerivative(String name, boolean segmented) {
    HubLayout layout = HubLayout.of(Golden.path("models/" + name));
    EncoderModel model = (EncoderModel) Models.architecture(layout.config(), name);
    List<TokenizedText> texts =
        segmented ? TEXTS : TEXTS.stream().map(text -> TokenizedText.of(text.ids())).toList();
    try (TensorReader file = layout.openWeights();
        Weights weights = Weights.read(model, file, true);
        NDManager scope = Torch.scope("test")) {
      EncoderNetwork network = new EncoderNetwork(model, weights::get);
      EncoderNetwork.Batch batch = network.batch(scope, texts);
      Map<String, NDArray> leaves = weights.parameters();
      leaves.values().forEach(leaf -> Torch.requireGradient(leaf, true));
      Random random = new Random(3);
      float[] slopes; // of the loss, a weighted sum of all logits
      try (Torch.GradMode recorded = Torch.gradMode(true)) {
        NDArray logits = network.head(scope, network.hidden(scope, batch), batch);
        slopes = gaussian(random, (int) logits.size());
        Torch.backward(logits, scope.create(slopes, logits.getShape()));
      }
      leaves.forEach(
          (leaf, array) -> {
            float[] direction = gaussian(random, (int) array.size());
            double norm = 0;
            double derivative = 0;
            float[] gradient = Torch.gradient(array, scope).toFloatArray();
            for (int i = 0; i < direction.length; i++) {
              norm += direction[i] * direction[i];
              derivative += (double) gradient[i] * direction[i];
            }
            norm = Math.sqrt(norm);
            double up = loss(network, batch, array, direction, STEP / norm, slopes);
            double down = loss(network, batch, array, direction, -STEP / norm, slopes);
            assertThat((up - down) / (2 * STEP))
                .as(leaf)
                .isCloseTo(derivative / norm, within(2e-3 + 1e-2 * Math.abs(derivative / norm)));
          });
      // The check says something: the loss does depend on the first layer's queries.
      NDArray query =
          leaves.entrySet().stream()
              .filter(leaf -> leaf.getKey().matches(".*layer\\.0.*(query|q_lin)\\.weight"))
              .findFirst()
              .orElseThrow()
              .getValue();
      double size = 0;
      for (float slope : Torch.gradient(query, scope).toFloatArray()) {
        size += slope * slope;
      }
      assertThat(Math.sqrt(size)).isGreaterThan(1e-2);
      leaves.values().forEach(leaf -> Torch.requireGradient(leaf, false));
    }
  }

  /** The loss with a weight moved along a direction, and put back. */
  private static double loss(
      EncoderNetwork network,
      EncoderNetwork.Batch batch,
      NDArray weight,
      float[] direction,
      double distance,
      float[] slopes) {
    try (NDManager scope = Torch.scope("moved");
        Torch.GradMode unrecorded = Torch.gradMode(false)) {
      float[] before = weight.toFloatArray();
      float[] moved = before.clone();
      for (int i = 0; i < moved.length; i++) {
        moved[i] += (float) (distance * direction[i]);
      }
      Torch.copy(scope.create(moved, weight.getShape()), weight);
      float[] logits = network.head(scope, network.hidden(scope, batch), batch).toFloatArray();
      Torch.copy(scope.create(before, weight.getShape()), weight);
      double loss = 0;
      for (int i = 0; i < logits.length; i++) {
        loss += (double) slopes[i] * logits[i];
      }
      return loss;
    }
  }

  private static float[] gaussian(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
