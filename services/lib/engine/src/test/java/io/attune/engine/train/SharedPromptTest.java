package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.data.SftExample;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.TokenBatch;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Sft;
import io.attune.engine.tensor.Torch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers to one prompt, which is computed once for all of them. */
class SharedPromptTest {
  private static final int[] A = {17, 301, 44, 260, 9, 118, 73, 205, 350, 66, 12, 290, 31, 140};
  private static final int[] B = {17, 301, 44, 260, 9, 118, 73, 205, 350, 66, 88, 3};
  private static final int[] C = {17, 301, 44, 260, 9, 118, 73, 205, 350, 66, 12, 290};
  private static final int[] OTHER = {5, 330, 210, 91, 4, 188, 77, 254, 163, 20};

  @Test
  void tokensThatNeighboursBeginWithAreThereOnce() {
    try (NDManager scope = Torch.scope("test")) {
      TokenBatch batch = TokenBatch.sharing(scope, List.of(A, B, C, OTHER), new int[] {400, 401});

      long[] ids = batch.ids().toLongArray();
      long[] pad = batch.pad().toLongArray();
      assertThat(batch.tokens()).isEqualTo(2 + 14 + 2 + 2 + 10).isEqualTo(ids.length);
      int row = 0;
      for (int[] sequence : List.of(A, B, C, OTHER)) {
        assertThat(ids[(int) pad[row * 16]]).isEqualTo(400);
        for (int i = 0; i < sequence.length; i++) {
          assertThat(ids[batch.token(row, i)]).isEqualTo(sequence[i]);
          assertThat(batch.token(row, i)).isEqualTo((int) pad[row * 16 + 2 + i]);
        }
        row++;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "mistral", "gemma2", "gpt2"})
  void lossAndGradientsAreThoseOfAnswersApart(String name) {
    DecoderModel model = Runs.architecture("models/" + name);
    List<SftExample> rows =
        List.of(
            SftExample.completion(A, 9),
            SftExample.completion(B, 10),
            SftExample.completion(C, 4),
            SftExample.completion(OTHER, 2));
    try (Weights weights = Runs.weights(model, "models/" + name, true);
        Policy policy = Policy.ofWeights(model, weights, weights)) {
      Reader<SftExample> reader = new Reader<>(policy, new Sft());
      double apart = 0;
      for (SftExample row : rows) {
        apart += reader.forwardBackward(List.of(row), null, 20).value();
      }
      Map<String, float[]> expected = takeGradients(policy);

      Loss together = reader.forwardBackward(rows, null, 20);

      assertThat(together.value()).isCloseTo(apart, within(1e-6));
      Map<String, float[]> actual = takeGradients(policy);
      expected.forEach(
          (weight, gradient) ->
              assertThat(actual.get(weight)).as(weight).containsExactly(gradient, within(2e-6f)));
    }
  }

  private static Map<String, float[]> takeGradients(Policy policy) {
    Map<String, float[]> gradients = new LinkedHashMap<>();
    try (NDManager scope = Torch.scope("gradients")) {
      policy
          .trainable()
          .forEach(
              (name, leaf) -> {
                NDArray gradient = Torch.gradient(leaf, scope);
                gradients.put(name, gradient.toFloatArray());
                Torch.dropGradient(leaf);
              });
    }
    return gradients;
  }
}
