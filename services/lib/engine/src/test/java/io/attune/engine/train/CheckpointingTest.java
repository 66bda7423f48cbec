package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.data.PreferencePair;
import io.attune.engine.data.SftExample;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Dpo;
import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Reading;
import io.attune.engine.objective.Sft;
import io.attune.engine.tensor.LiveArrays;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Layers that are computed again on the way back give the loss and the gradients of those kept. */
class CheckpointingTest {

  @ParameterizedTest
  @ValueSource(strings = {"llama", "mistral", "qwen3", "gemma2", "phi3", "gpt2"})
  void everyWeightGetsTheSameGradient(String family) throws IOException {
    DecoderModel model = Runs.architecture("models/" + family);
    List<SftExample> rows = Runs.sftRows("sft-full").subList(0, 3);
    try (Weights weights = Runs.weights(model, "models/" + family, true);
        Policy policy = Policy.ofWeights(model, weights, weights)) {
      assertSame(policy, new Sft(), rows, null);
    }
  }

  @Test
  void anAdapterGetsTheSameGradient() throws IOException {
    DecoderModel model = Runs.architecture();
    try (Weights weights = Runs.weights(model, false);
        Adapter adapter = Runs.adapter(Runs.base(model, weights), "runs/sft-lora/final");
        Policy policy = Policy.ofAdapter(model, weights, adapter, null)) {
      assertSame(policy, new Sft(), Runs.sftRows("sft-lora").subList(0, 4), null);
      List<PreferencePair> pairs = Runs.pairs("dpo-sigmoid").subList(0, 2);
      Dpo dpo = new Dpo(Dpo.Config.DEFAULT);
      assertSame(policy, dpo, pairs, new Reader<>(policy, dpo).read(pairs, true));
    }
  }

  private static <E> void assertSame(
      Policy policy, Objective<E> objective, List<E> rows, @Nullable List<Reading> reference) {
    Policy again = policy.withCheckpointing(true);
    assertThat(again.checkpointed()).isTrue();
    Loss expected = new Reader<>(policy, objective).forwardBackward(rows, reference, 3);
    Map<String, float[]> gradients = takeGradients(policy);
    Loss loss = new Reader<>(again, objective).forwardBackward(rows, reference, 3);
    Map<String, float[]> actual = takeGradients(again);
    int live = LiveArrays.count();
    new Reader<>(again, objective).forwardBackward(rows, reference, 3);
    takeGradients(again);

    assertThat(loss.value()).isEqualTo(expected.value());
    assertThat(LiveArrays.count()).isEqualTo(live);
    gradients.forEach(
        (name, gradient) ->
            assertThat(actual.get(name)).as(name).containsExactly(gradient, within(1e-6f)));
    assertThat(norm(gradients)).isGreaterThan(1e-3);
  }

  private static double norm(Map<String, float[]> gradients) {
    double sum = 0;
    for (float[] gradient : gradients.values()) {
      for (float g : gradient) {
        sum += (double) g * g;
      }
    }
    return Math.sqrt(sum);
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
                Torch.zeroGradient(leaf);
              });
    }
    return gradients;
  }
}
