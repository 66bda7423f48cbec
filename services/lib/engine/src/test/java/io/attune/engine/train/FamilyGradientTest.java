package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.adapter.Start;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.data.SftExample;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Models;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Sft;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The gradient of every weight of every decoder family, and of LoRA on all its linear layers,
 * against finite differences along random directions. Rows are of unequal length and longer than
 * the windows; Gemma 2's caps are so low that they bend what they bound.
 */
class FamilyGradientTest {
  private static final double STEP = 0.015; // of a weight's own size

  private static final List<SftExample> ROWS =
      List.of(
          SftExample.completion(
              new int[] {17, 301, 44, 260, 9, 118, 73, 205, 350, 66, 12, 290, 31, 140}, 1),
          SftExample.completion(new int[] {5, 330, 210, 91, 4, 188, 77, 254, 163}, 2));

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-biases",
        "llama-dynamic",
        "llama-yarn",
        "mistral",
        "qwen2",
        "qwen3",
        "gemma2",
        "gpt2",
        "phi3",
        "phi3-longrope"
      })
  void allWeights(String name) {
    DecoderModel model = model(name);
    try (Weights weights = weights(model, name, true);
        Policy policy = Policy.ofWeights(model, weights, weights)) {
      check(policy, 1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"llama-biases", "mistral", "qwen2", "qwen3", "gemma2", "gpt2", "phi3-longrope"})
  void loraOnAllLinearLayers(String name) {
    DecoderModel model = model(name);
    ObjectNode config = JsonFiles.newObject();
    config.put("peft_type", "LORA").put("r", 3).put("lora_alpha", 6);
    config.put("target_modules", "all-linear").put("fan_in_fan_out", name.equals("gpt2"));
    Start start = new Start(7, Map.of(), text -> new int[0]);
    try (Weights weights = weights(model, name, false);
        Adapter lora = Adapters.create(config, Runs.base(model, weights), start)) {
      assertThat(lora.parameters()).hasSize(2 * model.linears().size());
      Random random = new Random(11);
      lora.parameters().values().forEach(array -> move(array, gaussian(array, random), 0.1));
      try (Policy policy = Policy.ofAdapter(model, weights, lora, null)) {
        check(policy, 2);
      }
    }
  }

  private static void check(Policy policy, long seed) {
    Reader<SftExample> reader = new Reader<>(policy, new Sft());
    double tokens = ROWS.stream().mapToDouble(new Sft()::weight).sum();
    reader.forwardBackward(ROWS, null, tokens);
    Random random = new Random(seed);
    try (NDManager scope = Torch.scope("test")) {
      List<float[]> gradients = new ArrayList<>();
      for (NDArray leaf : policy.trainable().values()) {
        gradients.add(Torch.gradient(leaf, scope).toFloatArray());
      }
      int next = 0;
      for (Map.Entry<String, NDArray> leaf : policy.trainable().entrySet()) {
        float[] gradient = gradients.get(next++);
        float[] direction = gaussian(leaf.getValue(), random);
        double expected = 0;
        double squares = 0;
        for (int i = 0; i < gradient.length; i++) {
          expected += gradient[i] * direction[i];
          squares += gradient[i] * gradient[i];
        }
        double step = STEP * rootMeanSquare(leaf.getValue());
        double once = difference(reader, leaf.getValue(), direction, step, tokens);
        double twice = difference(reader, leaf.getValue(), direction, 2 * step, tokens);
        // Richardson's extrapolation. A direction of unit deviation meets a gradient of norm g with
        // about g.
        assertThat((4 * once - twice) / 3)
            .as(leaf.getKey())
            .isCloseTo(expected, within(0.01 * Math.sqrt(squares) + 1e-4));
      }
    }
  }

  private static double rootMeanSquare(NDArray leaf) {
    double sum = 0;
    for (float value : leaf.toFloatArray()) {
      sum += value * value;
    }
    return Math.sqrt(sum / leaf.size());
  }

  private static double difference(
      Reader<SftExample> reader, NDArray leaf, float[] direction, double step, double tokens) {
    move(leaf, direction, step);
    double up = loss(reader, tokens);
    move(leaf, direction, -2 * step);
    double down = loss(reader, tokens);
    move(leaf, direction, step);
    return (up - down) / (2 * step);
  }

  private static double loss(Reader<SftExample> reader, double tokens) {
    return new Sft().loss(ROWS, reader.read(ROWS, false), null, tokens).value();
  }

  private static float[] gaussian(NDArray like, Random random) {
    float[] values = new float[Math.toIntExact(like.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void move(NDArray leaf, float[] direction, double step) {
    float[] values = leaf.toFloatArray();
    for (int i = 0; i < values.length; i++) {
      values[i] += (float) (step * direction[i]);
    }
    try (NDManager scope = Torch.scope("test")) {
      Torch.copy(scope.create(values, leaf.getShape()), leaf);
    }
  }

  private static DecoderModel model(String name) {
    ObjectNode config = HubLayout.of(Golden.path("models/" + name)).config().deepCopy();
    if (name.equals("gemma2")) {
      config.put("attn_logit_softcapping", 0.5).put("final_logit_softcapping", 0.5);
    }
    return (DecoderModel) Models.architecture(config, name);
  }

  private static Weights weights(DecoderModel model, String name, boolean writable) {
    try (TensorReader file = HubLayout.of(Golden.path("models/" + name)).openWeights()) {
      return Weights.read(model, file, writable);
    }
  }
}
