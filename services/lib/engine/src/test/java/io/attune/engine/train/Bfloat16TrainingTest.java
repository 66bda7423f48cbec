package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.adapter.Start;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.data.SftExample;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.DecoderNetwork;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Sft;
import io.attune.engine.tensor.Bfloat16;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * LoRA over weights in bfloat16. The oracle is the float32 path, which the reference runs hold to
 * PEFT, over the same weights rounded to bfloat16.
 */
class Bfloat16TrainingTest {

  private record Pass(double loss, Map<String, float[]> gradients) {}

  /** Widened for their products, they are nothing but other weights of a float32 model. */
  @ParameterizedTest
  @CsvSource({
    "llama,false",
    "llama,true",
    "qwen2,false",
    "gemma2,false",
    "phi3,true",
    "gpt2,false"
  })
  void widenedWeightsGiveTheOraclesGradients(String family, boolean checkpointed)
      throws IOException {
    Pass expected = oracle(family);
    Pass actual = narrow(family, true, checkpointed);

    assertThat(actual.loss()).isCloseTo(expected.loss(), within(1e-5));
    expected
        .gradients()
        .forEach(
            (name, gradient) ->
                assertThat(actual.gradients().get(name))
                    .as(name)
                    .containsExactly(gradient, within(1e-5f)));
  }

  /** Everything in bfloat16: 8 bits of precision in each operation. */
  @ParameterizedTest
  @CsvSource({"llama,false", "llama,true", "qwen2,false", "gemma2,true", "phi3,false", "gpt2,true"})
  void productsOfBfloat16GiveAboutTheOraclesGradients(String family, boolean checkpointed)
      throws IOException {
    Pass expected = oracle(family);
    Pass actual = narrow(family, false, checkpointed);

    assertThat(actual.loss()).isCloseTo(expected.loss(), within(0.01 * expected.loss()));
    assertThat(relativeDistance(expected.gradients(), actual.gradients())).isLessThan(0.05);
  }

  private static Pass oracle(String family) throws IOException {
    DecoderModel model = Runs.architecture("models/" + family);
    try (Weights rounded = Runs.weights(model, "models/" + family, true);
        NDManager scope = Torch.scope("test")) {
      for (NDArray weight : rounded.parameters().values()) {
        NDArray narrow = Bfloat16.of(weight, scope);
        Torch.copy(Bfloat16.widened(narrow, scope), weight);
      }
      return pass(model, rounded, false, false);
    }
  }

  private static Pass narrow(String family, boolean widened, boolean checkpointed)
      throws IOException {
    DecoderModel model = Runs.architecture("models/" + family);
    try (TensorReader file = HubLayout.of(Golden.path("models/" + family)).openWeights();
        Weights weights = Weights.readBfloat16(model, file)) {
      assertThat(weights.type()).isEqualTo(TensorType.BF16);
      return pass(model, weights, widened, checkpointed);
    }
  }

  private static Pass pass(
      DecoderModel model, Weights weights, boolean widened, boolean checkpointed)
      throws IOException {
    List<SftExample> rows = Runs.sftRows("sft-lora").subList(0, 4);
    try (Adapter adapter = adapter(model, weights);
        NDManager scope = Torch.scope("gradients")) {
      adapter.parameters().values().forEach(leaf -> Torch.requireGradient(leaf, true));
      DecoderNetwork network =
          DecoderNetwork.forTraining(
              model,
              seams -> adapter.wrap(weights.wrap(seams), true),
              new int[0],
              name -> adapter.weight(name) == null ? weights.get(name) : adapter.weight(name),
              weights.type(),
              widened);
      Policy policy = Policy.frozen(network).withCheckpointing(checkpointed);
      Loss loss = new Reader<>(policy, new Sft()).forwardBackward(rows, null, 10);
      Map<String, float[]> gradients = new LinkedHashMap<>();
      adapter
          .parameters()
          .forEach(
              (name, leaf) -> {
                assertThat(Bfloat16.is(leaf)).as(name).isFalse();
                gradients.put(name, Torch.gradient(leaf, scope).toFloatArray());
              });
      return new Pass(loss.value(), gradients);
    }
  }

  private static Adapter adapter(DecoderModel model, Weights weights) {
    var config =
        JsonFiles.newObject()
            .put("peft_type", "LORA")
            .put("target_modules", "all-linear")
            .put("r", 4)
            .put("lora_alpha", 8)
            .put("init_lora_weights", false);
    return Adapters.create(
        config, Runs.base(model, weights), new Start(7, Map.of(), text -> new int[0]));
  }

  private static double relativeDistance(
      Map<String, float[]> expected, Map<String, float[]> actual) {
    double difference = 0;
    double norm = 0;
    for (Map.Entry<String, float[]> entry : expected.entrySet()) {
      float[] a = entry.getValue();
      float[] b = actual.get(entry.getKey());
      for (int i = 0; i < a.length; i++) {
        difference += Math.pow(a[i] - b[i], 2);
        norm += Math.pow(a[i], 2);
      }
    }
    return Math.sqrt(difference / norm);
  }
}
