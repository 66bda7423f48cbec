package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.adapter.BaseModel;
import io.attune.engine.adapter.Start;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.optim.LearningRate;
import io.attune.engine.quant.EightBit;
import io.attune.engine.quant.FourBit;
import io.attune.engine.quant.FourBitType;
import io.attune.engine.quant.Quantizer;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Ten steps of each method against peft, bitsandbytes' weights and the optimizers' own packages:
 * {@code golden/methods/make_methods.py}. Methods with adapters of their own are in {@link
 * AdapterTrainingTest}.
 */
class MethodRunsTest {
  private static final int STEPS = 10;

  @TempDir Path folder;

  /** LoRA from one start over the model's weights, and over what bitsandbytes makes of them. */
  @ParameterizedTest
  @ValueSource(strings = {"lora", "rslora", "lora-nf4", "lora-fp4", "lora-int8"})
  void lowRankAdapters(String name) throws IOException {
    JsonNode run = run(name);
    DecoderModel model = Runs.architecture(run.get("base").asText());
    try (Weights weights = weights(model, run);
        Adapter adapter = Runs.adapter(Runs.base(model, weights), run.get("start").asText());
        Policy policy = Policy.ofAdapter(model, weights, adapter, null)) {
      train(run, policy);
      try (SafeTensors expected = SafeTensors.open(last(name))) {
        assertThat(adapter.parameters()).hasSize(expected.names().size());
      }
      adapter
          .parameters()
          .forEach(
              (parameter, array) ->
                  assertThat(array.toFloatArray())
                      .as(parameter)
                      .containsExactly(
                          Golden.tensor(last(name), "base_model.model." + parameter),
                          within(1e-4f)));
    }
  }

  private static Weights weights(DecoderModel model, JsonNode run) {
    Quantizer quantizer =
        switch (run.get("quantization") == null ? "" : run.get("quantization").asText("")) {
          case "nf4" -> new FourBit(FourBitType.NF4, 64, true);
          case "fp4" -> new FourBit(FourBitType.FP4, 64, true);
          case "int8" -> new EightBit();
          default -> null;
        };
    String base = run.get("base").asText();
    if (quantizer == null) {
      return Runs.weights(model, base, false);
    }
    try (TensorReader file = HubLayout.of(Golden.path(base)).openWeights()) {
      return Weights.readQuantized(model, file, quantizer);
    }
  }

  /**
   * Their starts are unique up to signs of singular vectors, which cancel in the merged weights.
   */
  @ParameterizedTest
  @ValueSource(strings = {"pissa", "loftq"})
  void startsFromSingularValues(String name) throws IOException {
    JsonNode run = run(name);
    DecoderModel model = Runs.architecture(run.get("base").asText());
    ObjectNode config = run.get("adapter").deepCopy();
    config.put("peft_type", "LORA");
    config.put("target_modules", "all-linear");
    try (Weights weights = Runs.weights(model, run.get("base").asText(), false);
        NDManager scope = Torch.scope("test")) {
      BaseModel base = Runs.base(model, weights);
      Start start = new Start(5, Map.of(), text -> new int[0]);
      try (Adapter adapter = Adapters.create(config, base, start);
          Policy policy = Policy.ofAdapter(model, weights, adapter, null)) {
        train(run, policy);
        Map<String, NDArray> merged = adapter.merged(weights::get, scope);
        assertTensors(name, weight -> merged.get(weight).toFloatArray());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"full", "layerwise", "adafactor", "galore", "galore-8bit", "adamw-8bit"})
  void weightsOfTheModel(String name) throws IOException {
    JsonNode run = run(name);
    String base = run.get("base").asText();
    DecoderModel model = Runs.architecture(base);
    try (Weights weights = Runs.weights(model, base, true);
        Weights before = Runs.weights(model, base, false);
        Policy policy = Policy.ofWeights(model, weights, weights)) {
      train(run, policy);
      assertTensors(
          name,
          weight -> {
            float[] difference = weights.get(weight).toFloatArray();
            float[] start = before.get(weight).toFloatArray();
            for (int i = 0; i < difference.length; i++) {
              difference[i] -= start[i];
            }
            return difference;
          });
    }
  }

  private static JsonNode run(String name) throws IOException {
    return Golden.json("methods/" + name + "/run.json");
  }

  private static Path last(String name) {
    return Golden.path("methods/" + name + "/final.safetensors");
  }

  private void train(JsonNode run, Policy policy) throws IOException {
    Map<String, String> parameters = new HashMap<>(Map.of("weight_decay", "0.01"));
    run.path("parameters")
        .properties()
        .forEach(e -> parameters.put(e.getKey(), e.getValue().asText()));
    TrainingArguments arguments =
        new TrainingArguments(
            run.get("learning_rate").asDouble(),
            LearningRate.LINEAR,
            1,
            2,
            2,
            STEPS,
            1,
            OptimizerParameters.parse(new Parameters(parameters)),
            1,
            false,
            0,
            1);
    assertThat(run.get("steps")).hasSize(STEPS);
    Runs.assertSteps(run, arguments, policy, folder);
  }

  /** Compares what the reference has kept: of some tensors the first rows. */
  private static void assertTensors(String name, Function<String, float[]> found) {
    try (SafeTensors expected = SafeTensors.open(last(name));
        NDManager scope = Torch.scope("test")) {
      assertThat(expected.names()).isNotEmpty();
      for (String tensor : expected.names()) {
        float[] reference = TensorArrays.readFloat(expected, tensor, scope).toFloatArray();
        float[] all = found.apply(tensor);
        assertThat(Arrays.copyOf(all, reference.length))
            .as(tensor)
            .containsExactly(reference, within(1e-4f));
      }
    }
  }
}
