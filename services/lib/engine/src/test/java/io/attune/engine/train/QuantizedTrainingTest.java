package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.adapter.BaseModel;
import io.attune.engine.adapter.Start;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.data.SftExample;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.nn.Linear;
import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Sft;
import io.attune.engine.optim.AdamW;
import io.attune.engine.optim.GroupedOptimizer;
import io.attune.engine.optim.GroupedOptimizer.NarrowParameters;
import io.attune.engine.optim.ParameterGroup;
import io.attune.engine.quant.EightBit;
import io.attune.engine.quant.FourBit;
import io.attune.engine.quant.FourBitType;
import io.attune.engine.quant.Quantizer;
import io.attune.engine.tensor.LiveArrays;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Training over quantized weights, layers computed again on the way back, is training over a dense
 * model that has the dequantized weights.
 */
class QuantizedTrainingTest {
  private static final int STEPS = 10;

  static Stream<Arguments> runs() {
    Quantizer nf4 = new FourBit(FourBitType.NF4, 64, true);
    return Stream.of(
        Arguments.of("models/llama", nf4, "LORA", Map.of()),
        Arguments.of("models/llama", new FourBit(FourBitType.FP4, 64, false), "LORA", Map.of()),
        Arguments.of("models/llama", new EightBit(), "LORA", Map.of()),
        Arguments.of("models/llama", nf4, "LORA", Map.of("use_dora", true)),
        Arguments.of("models/llama", nf4, "LORA", Map.of("layers_to_transform", 1)),
        Arguments.of("models/llama", nf4, "IA3", Map.of()),
        Arguments.of("models/llama", nf4, "BOTTLENECK", Map.of("reduction_factor", 4)),
        Arguments.of("models/llama", nf4, "PROMPT_TUNING", Map.of("num_virtual_tokens", 3)),
        Arguments.of("models/gpt2", nf4, "LORA", Map.of("use_dora", true)));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void stepsAreThoseOverTheDequantizedWeights(
      String folder, Quantizer quantizer, String kind, Map<String, Object> settings)
      throws IOException {
    DecoderModel model = Runs.architecture(folder);
    List<SftExample> rows = Runs.sftRows("sft-lora").subList(0, 4);
    try (Weights quantized = quantized(model, folder, quantizer);
        Weights dense = dequantized(model, folder, quantized);
        Adapter over = adapter(model, quantized, kind, settings);
        Adapter beside = adapter(model, dense, kind, settings);
        Policy policy = Policy.ofAdapter(model, quantized, over, null);
        Policy reference = Policy.ofAdapter(model, dense, beside, null);
        GroupedOptimizer first = optimizer(policy);
        GroupedOptimizer second = optimizer(reference)) {
      assertThat(policy.checkpointed()).isTrue();
      assertThat(reference.checkpointed()).isFalse();
      List<Double> losses = new ArrayList<>();
      int live = 0;
      for (int step = 0; step < STEPS; step++) {
        Loss loss = new Reader<>(policy, new Sft()).forwardBackward(rows, null, 10);
        Loss expected = new Reader<>(reference, new Sft()).forwardBackward(rows, null, 10);
        assertThat(loss.value()).isCloseTo(expected.value(), within(1e-5));
        assertGradients(policy, reference);
        first.step(1, first.gradientNorm());
        second.step(1, second.gradientNorm());
        losses.add(loss.value());
        if (step > 1) {
          assertThat(LiveArrays.count()).as("live arrays after step %d", step).isEqualTo(live);
        }
        live = LiveArrays.count();
      }
      assertThat(losses.get(STEPS - 1)).isLessThan(losses.get(0));
      beside
          .parameters()
          .forEach(
              (name, array) ->
                  assertThat(over.parameters().get(name).toFloatArray())
                      .as(name)
                      .containsExactly(array.toFloatArray(), within(1e-4f)));
    }
  }

  private static void assertGradients(Policy policy, Policy reference) {
    try (NDManager scope = Torch.scope("test")) {
      reference
          .trainable()
          .forEach(
              (name, array) -> {
                float[] expected = Torch.gradient(array, scope).toFloatArray();
                NDArray found = Torch.gradient(policy.trainable().get(name), scope);
                assertThat(found.toFloatArray()).as(name).containsExactly(expected, within(1e-4f));
              });
    }
  }

  /** Dropout draws the same when a layer is computed again: the gradient is the loss's own. */
  @ParameterizedTest
  @MethodSource("seeds")
  void dropoutIsTheSameOnTheWayBack(int seed) throws IOException {
    DecoderModel model = Runs.architecture();
    List<SftExample> rows = Runs.sftRows("sft-lora").subList(0, 2);
    try (Weights quantized = quantized(model, Runs.MODEL, new FourBit(FourBitType.NF4, 64, true));
        Adapter adapter =
            adapter(
                model, quantized, "LORA", Map.of("lora_dropout", 0.3, "init_lora_weights", false));
        Policy policy = Policy.ofAdapter(model, quantized, adapter, null);
        NDManager scope = Torch.scope("test")) {
      Reader<SftExample> reader = new Reader<>(policy, new Sft());
      String name = "model.layers.0.mlp.down_proj.lora_B.weight";
      NDArray leaf = policy.trainable().get(name);
      Torch.seed(seed);
      reader.forwardBackward(rows, null, 10);
      float[] gradient = Torch.gradient(leaf, scope).toFloatArray();
      float[] values = leaf.toFloatArray();
      double norm = 0;
      for (float g : gradient) {
        norm += (double) g * g;
      }
      double step = 1e-2 / Math.sqrt(norm);
      double[] losses = new double[2];
      for (int side = 0; side < 2; side++) {
        float[] moved = new float[values.length];
        for (int i = 0; i < moved.length; i++) {
          moved[i] = (float) (values[i] + (side == 0 ? step : -step) * gradient[i]);
        }
        Torch.copy(scope.create(moved, leaf.getShape()), leaf);
        Torch.seed(seed);
        losses[side] = reader.forwardBackward(rows, null, 10).value();
      }
      assertThat((losses[0] - losses[1]) / (2 * step)).isCloseTo(norm, within(2e-2 * norm));
    }
  }

  static Stream<Integer> seeds() {
    return Stream.of(1, 2);
  }

  /** With an epsilon that keeps gradients of rounding errors from moving anything. */
  private static GroupedOptimizer optimizer(Policy policy) {
    return new GroupedOptimizer(
        new AdamW(new AdamW.Config(0.9, 0.999, 1e-4)),
        policy.trainable(),
        List.of(new ParameterGroup(List.copyOf(policy.trainable().keySet()), 1e-2, 0.01)),
        1,
        NarrowParameters.MASTER_WEIGHTS,
        1);
  }

  private static Weights quantized(DecoderModel model, String folder, Quantizer quantizer) {
    try (TensorReader file = HubLayout.of(Golden.path(folder)).openWeights()) {
      return Weights.readQuantized(model, file, quantizer);
    }
  }

  private static Weights dequantized(DecoderModel model, String folder, Weights quantized) {
    Weights dense = Runs.weights(model, folder, true);
    try (NDManager scope = Torch.scope("test")) {
      for (Linear linear : model.linears()) {
        NDArray weight = quantized.quantized().dense(linear.weight(), scope);
        assertThat(quantized.get(linear.weight())).isNull();
        Torch.copy(weight, dense.get(linear.weight()));
      }
    }
    return dense;
  }

  private static Adapter adapter(
      DecoderModel model, Weights weights, String kind, Map<String, Object> settings) {
    BaseModel base = Runs.base(model, weights);
    ObjectNode config = JsonFiles.newObject();
    config.put("peft_type", kind);
    if (settings.containsKey("layers_to_transform")) {
      config.putArray("target_modules").add("q_proj").add("down_proj");
    } else {
      config.put("target_modules", "all-linear");
    }
    if (kind.equals("LORA")) {
      config.put("r", 4);
      config.put("lora_alpha", 8);
    }
    settings.forEach((key, value) -> config.set(key, JsonFiles.parse(value.toString(), key)));
    return Adapters.create(config, base, new Start(7, Map.of(), text -> new int[0]));
  }
}
