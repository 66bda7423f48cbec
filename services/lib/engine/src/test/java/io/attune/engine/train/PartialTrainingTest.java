package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Sft;
import io.attune.engine.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ten steps of methods that train some weights, or at several rates, against torch and peft; {@code
 * golden/optim/make_runs.py} makes the references.
 */
class PartialTrainingTest {
  @TempDir Path folder;

  @Test
  void bitFit() throws IOException {
    own("bitfit", "models/gpt2", new TrainedWeights.Biases(List.of(), List.of()), 1e-2);
  }

  @Test
  void freeze() throws IOException {
    own(
        "freeze",
        "models/llama",
        new TrainedWeights.Layers(1, List.of("all"), List.of("norm")),
        2e-3);
  }

  @Test
  void loraPlus() throws IOException {
    DecoderModel model = Runs.architecture();
    try (Weights weights = Runs.weights(model, false);
        Adapter adapter = Runs.adapter(Runs.base(model, weights), "runs/sft-lora/init");
        Policy policy = Policy.ofAdapter(model, weights, adapter, null)) {
      train("loraplus", policy, 1e-3, Map.of("loraplus_lr_ratio", "16"));
    }
  }

  private void own(String run, String model, TrainedWeights which, double rate) throws IOException {
    DecoderModel architecture = Runs.architecture(model);
    Set<String> trained = which.of(architecture);
    try (Weights weights = Runs.weights(architecture, model, false)) {
      weights.own(trained);
      try (Policy policy = Policy.ofWeights(architecture, weights, weights, trained)) {
        train(run, policy, rate, Map.of());
      }
    }
  }

  private void train(String run, Policy policy, double rate, Map<String, String> more)
      throws IOException {
    Map<String, String> parameters = new HashMap<>(more);
    parameters.put("weight_decay", "0.01");
    TrainingArguments arguments =
        new TrainingArguments(
            rate,
            LearningRate.LINEAR,
            1,
            2,
            2,
            10,
            1,
            OptimizerParameters.parse(new Parameters(parameters)),
            1,
            false,
            0,
            1);
    List<StepMetrics> steps = new ArrayList<>();
    new TrainingLoop<>(arguments, policy, new Sft(), Runs.sftRows("sft-full"))
        .run(folder, run, steps::add, notice -> {}, () -> false);
    JsonNode expected = Golden.json("optim/runs.json").get(run);
    Runs.assertSteps(expected, steps);
    assertFinal(run, policy.trainable());
  }

  private static void assertFinal(String run, Map<String, NDArray> trained) {
    Path file = Golden.path("optim/runs.safetensors");
    try (SafeTensors expected = SafeTensors.open(file)) {
      assertThat(expected.names().stream().filter(name -> name.startsWith(run + "/")))
          .hasSize(trained.size());
    }
    trained.forEach(
        (name, array) ->
            assertThat(seen(name, array.toFloatArray()))
                .as(name)
                .containsExactly(seen(name, Golden.tensor(file, run + "/" + name)), within(1e-4f)));
  }

  /**
   * A bias without what the loss does not see: softmax takes a bias of all keys alike, so its
   * gradient is rounding, which Adam makes as large as any other.
   */
  private static float[] seen(String name, float[] values) {
    if (!name.endsWith("attn.c_attn.bias")) {
      return values;
    }
    int size = values.length / 3; // queries, keys, values
    float[] rest = Arrays.copyOf(values, 2 * size);
    System.arraycopy(values, 2 * size, rest, size, size);
    return rest;
  }
}
