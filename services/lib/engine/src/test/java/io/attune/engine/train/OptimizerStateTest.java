package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.EngineException;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.Models;
import io.attune.engine.optim.Optimizer;
import io.attune.engine.tensor.Bfloat16;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How large optimizers' states are, and how they go through a checkpoint. */
class OptimizerStateTest {
  @TempDir Path folder;

  /** SmolLM2-135M, with fewer layers. */
  private static Architecture model(int layers) throws IOException {
    String config =
        """
        {"model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "vocab_size": 49152,
         "num_hidden_layers": %d, "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64,
         "max_position_embeddings": 8192, "rms_norm_eps": 1e-6, "tie_word_embeddings": true,
         "hidden_act": "silu", "rope_theta": 100000.0}
        """
            .formatted(layers);
    return Models.architecture(new ObjectMapper().readTree(config), "config.json");
  }

  private static long stateBytes(String parameters, int layers) throws IOException {
    Architecture model = model(layers);
    Map<String, String> values =
        Arrays.stream(parameters.split(";"))
            .map(pair -> pair.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    OptimizerSettings settings = OptimizerParameters.parse(new Parameters(values));
    try (Optimizer rule = settings.rule(model.parameters().keySet(), model)) {
      model.parameters().forEach(rule::add);
      return rule.state().values().stream()
          .mapToLong(array -> array.size() * TensorArrays.type(array).bytes())
          .sum();
    }
  }

  /** States are sums over parameters: 30 layers are one layer and 29 times what a second adds. */
  private static double ratio(String parameters) throws IOException {
    long one = stateBytes(parameters, 1);
    long state = one + 29 * (stateBytes(parameters, 2) - one);
    long elements = model(30).parameters().values().stream().mapToLong(Shape::size).sum();
    assertThat(elements).isEqualTo(134_515_008);
    return (double) state / (8 * elements); // AdamW: two moments of four bytes
  }

  @Test
  void gaLoresStateIsBelowTwoFifthsOfAdamWs() throws IOException {
    double galore = ratio("optim=galore_adamw;optim_args=rank=128");
    assertThat(galore).isBetween(0.28, 0.30).isLessThan(0.40);
    double narrow = ratio("optim=galore_adamw_8bit;optim_args=rank=128");
    assertThat(narrow).isBetween(0.10, 0.12).isLessThan(0.20);
  }

  @Test
  void otherStatesAreAsSmallAsTheyShouldBe() throws IOException {
    assertThat(ratio("optim=adafactor")).isLessThan(0.004);
    // A byte instead of four, and the embedding, a fifth of all weights, in float32.
    assertThat(ratio("optim=adamw_8bit")).isBetween(0.40, 0.42);
  }

  @Test
  void adamWsStateIsTwoMoments() throws IOException {
    long layer = stateBytes("optim=adamw_torch", 2) - stateBytes("optim=adamw_torch", 1);
    assertThat(layer).isEqualTo(8L * (2 * 576 * 576 + 2 * 192 * 576 + 3 * 1536 * 576 + 2 * 576));
  }

  @Test
  void everyTypeGoesThroughACheckpointUnchanged() {
    try (NDManager scope = Torch.scope("test")) {
      float[] values = {1, -2.5f, 3e-9f, 65535};
      NDArray wide = scope.create(values);
      NDArray narrow = Bfloat16.of(scope.create(values), scope);
      float[] rounded = Bfloat16.widened(narrow, scope).toFloatArray();
      NDArray codes = scope.create(new byte[] {0, 1, 127, -1}).toType(DataType.UINT8, true);
      byte[] bytes = codes.toByteArray();
      Map<String, NDArray> state = Map.of("wide", wide, "narrow", narrow, "codes", codes);
      Checkpoints checkpoints = new Checkpoints(folder, "run", notice -> {});
      checkpoints.save(new Checkpoints.State(2, 9), state);
      state.values().forEach(array -> Torch.copy(scope.zeros(new Shape(4)), array));
      assertThat(codes.toByteArray()).containsOnly(0);

      assertThat(checkpoints.restore(state)).isEqualTo(new Checkpoints.State(2, 9));

      assertThat(wide.toFloatArray()).isEqualTo(values);
      assertThat(Bfloat16.widened(narrow, scope).toFloatArray()).isEqualTo(rounded);
      assertThat(codes.toByteArray()).isEqualTo(bytes);
      Map<String, NDArray> other = Map.of("codes", scope.zeros(new Shape(4)));
      assertThatThrownBy(() -> checkpoints.restore(other))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("'codes' has type U8")
          .hasMessageContaining("F32");
    }
  }

  @Test
  void wrongSettingsAreRefusedByName() {
    assertRefused(Map.of("optim", "sgd"), "'optim' is sgd", "galore_adamw_8bit");
    assertRefused(Map.of("optim_args", "rank=4"), "'rank'", "adamw_torch");
    assertRefused(Map.of("optim", "galore_adamw", "optim_args", "rank"), "'rank'", "rank=64");
    assertRefused(
        Map.of("optim", "galore_adamw", "optim_args", "proj_type=x"), "'proj_type'", "std");
    assertRefused(Map.of("optim", "galore_adamw", "optim_args", "rank=0"), "'rank'", "positive");
    assertRefused(
        Map.of("optim", "adafactor", "optim_args", "relative_step=true", "learning_rate", "1"),
        "'learning_rate'",
        "relative_step");
    assertRefused(Map.of("param_groups", "{}"), "'param_groups'", "array");
    assertRefused(Map.of("param_groups", "[{\"params\": \"a\"}]"), "'param_groups'", "'lr'");
    assertRefused(
        Map.of("param_groups", "[{\"params\": \"(\", \"lr\": 1}]"), "'param_groups'", "pattern");
    assertRefused(
        Map.of("param_groups", "[{\"params\": \"a\", \"rate\": 1}]"), "'rate'", "weight_decay");
  }

  private static void assertRefused(Map<String, String> parameters, String what, String more) {
    assertThatThrownBy(() -> OptimizerParameters.parse(new Parameters(parameters)))
        .isInstanceOf(RuntimeException.class)
        .hasMessageContaining(what)
        .hasMessageContaining(more);
    assertThat(List.of(what, more)).doesNotContain("");
  }
}
