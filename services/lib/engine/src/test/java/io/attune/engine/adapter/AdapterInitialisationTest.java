package io.attune.engine.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.tensor.Torch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** New adapters start in the distributions that PEFT draws from. */
class AdapterInitialisationTest {
  private static final int E = 64;
  private static final int V = 96;

  private final NDManager scope = Torch.scope("test");
  private final Linear plain = new Linear("layers.0.up", E, 48, false);
  private final Linear transposed = new Linear("layers.0.down", 48, E, true, true);
  private final Embedding table = new Embedding("embed", V, E);
  private final Map<String, NDArray> weights =
      Map.of(
          "layers.0.up.weight", scope.randomNormal(new Shape(48, E)),
          "layers.0.down.weight", scope.randomNormal(new Shape(48, E)),
          "layers.0.down.bias", scope.ones(new Shape(E)),
          "embed.weight", scope.randomNormal(new Shape(V, E)));
  private final BaseModel base =
      new BaseModel(
          List.of(plain, transposed),
          table,
          new Attention.Heads(4, 2, 16, 0.25),
          3,
          Map.of(
              "layers.0.up.weight", plain.shape(),
              "layers.0.down.weight", transposed.shape(),
              "layers.0.down.bias", new Shape(E),
              "embed.weight", table.shape()),
          Map.of(),
          false,
          weights::get);

  @AfterEach
  void close() {
    scope.close();
  }

  private Adapter create(String type, String settings) {
    ObjectNode config =
        (ObjectNode) JsonFiles.parse("{\"peft_type\": \"" + type + "\", " + settings + "}", "test");
    return Adapters.create(
        config, base, new Start(3, Map.of(), text -> new int[] {7, text.length()}));
  }

  @Test
  void loraIsUniformAndZero() {
    try (Adapter lora =
        create("LORA", "\"r\": 32, \"target_modules\": [\"up\", \"down\", \"embed\"]")) {
      assertUniform(lora, "layers.0.up.lora_A.weight", 1 / Math.sqrt(E));
      assertUniform(lora, "layers.0.down.lora_A.weight", 1 / Math.sqrt(48));
      assertThat(values(lora, "layers.0.up.lora_B.weight")).containsOnly(0);
      assertThat(values(lora, "embed.lora_embedding_A")).containsOnly(0);
      assertNormal(lora, "embed.lora_embedding_B", 1);
      assertThat(lora.weight("embed.lora_embedding_A").getShape()).isEqualTo(new Shape(32, V));
    }
    try (Adapter gaussian =
        create(
            "LORA",
            "\"r\": 32, \"target_modules\": \"all-linear\", \"init_lora_weights\": \"gaussian\"")) {
      assertNormal(gaussian, "layers.0.up.lora_A.weight", 1.0 / 32);
    }
    try (Adapter random =
        create("LORA", "\"r\": 32, \"target_modules\": [\"up\"], \"init_lora_weights\": false")) {
      assertUniform(random, "layers.0.up.lora_B.weight", 1 / Math.sqrt(32));
    }
  }

  @Test
  void doraStartsWithTheLengthsOfTheBaseWeights() {
    try (Adapter dora =
        create("LORA", "\"use_dora\": true, \"target_modules\": [\"up\", \"down\", \"embed\"]")) {
      assertLengths(dora, "layers.0.up", 48, E, false);
      assertLengths(dora, "layers.0.down", E, 48, true);
      // The embedding is B A of a one-hot row: A starts at zero.
      assertLengths(dora, "embed", E, V, true);
    }
  }

  private void assertLengths(
      Adapter dora, String module, int outputs, int inputs, boolean transposed) {
    float[] weight = weights.get(module + ".weight").toFloatArray();
    float[] lengths = values(dora, module + ".lora_magnitude_vector");
    assertThat(lengths).hasSize(outputs);
    for (int o = 0; o < outputs; o++) {
      double sum = 0;
      for (int i = 0; i < inputs; i++) {
        sum += Math.pow(weight[transposed ? i * outputs + o : o * inputs + i], 2);
      }
      assertThat(lengths[o]).isCloseTo((float) Math.sqrt(sum), within(1e-5f));
    }
  }

  @Test
  void factorsStartWhereTheyChangeNothing() {
    try (Adapter ia3 =
        create(
            "IA3", "\"target_modules\": [\"up\", \"down\"], \"feedforward_modules\": [\"down\"]")) {
      assertThat(values(ia3, "layers.0.up.ia3_l")).hasSize(48).containsOnly(1);
      assertThat(ia3.weight("layers.0.down.ia3_l").getShape()).isEqualTo(new Shape(1, 48));
    }
    try (Adapter vera = create("VERA", "\"r\": 8, \"target_modules\": [\"up\"]")) {
      assertThat(values(vera, "layers.0.up.vera_lambda_b")).hasSize(48).containsOnly(0);
      assertThat(values(vera, "layers.0.up.vera_lambda_d")).hasSize(8).containsOnly(0.1f);
    }
  }

  /** PEFT's file holds what torch drew from the same key. */
  @Test
  void veraDrawsTheProjectionsThatTorchDraws() {
    Linear square = new Linear("q", 32, 32, false);
    BaseModel like =
        new BaseModel(List.of(square), null, null, 1, Map.of(), Map.of(), false, weights::get);
    ObjectNode config =
        (ObjectNode)
            JsonFiles.parse(
                "{\"peft_type\": \"VERA\", \"r\": 8, \"target_modules\": [\"q\"]}", "test");
    try (Adapter vera = Adapters.create(config, like, new Start(99, Map.of(), t -> new int[0]))) {
      String file = "adapters/vera/adapter_model.safetensors";
      assertThat(values(vera, "vera_A")).isEqualTo(Golden.tensor(file, "base_model.vera_A"));
      assertThat(values(vera, "vera_B")).isEqualTo(Golden.tensor(file, "base_model.vera_B"));
    }
  }

  @Test
  void virtualTokensAreNormalOrRowsOfTheEmbedding() {
    String count = "\"num_virtual_tokens\": 40";
    try (Adapter random = create("PROMPT_TUNING", count)) {
      assertNormal(random, "prompt_embeddings", 1);
      assertThat(random.config().get("token_dim").asInt()).isEqualTo(E);
      assertThat(random.config().get("num_layers").asInt()).isEqualTo(3);
      assertThat(random.virtualTokens()).hasSize(40).startsWith(V, V + 1);
    }
    float[] embedding = weights.get("embed.weight").toFloatArray();
    try (Adapter text =
        create(
            "PROMPT_TUNING",
            "\"num_virtual_tokens\": 3, \"prompt_tuning_init\": \"TEXT\","
                + " \"prompt_tuning_init_text\": \"eleven long\"")) {
      float[] values = values(text, "prompt_embeddings");
      int[] ids = {7, 11, 7};
      for (int i = 0; i < values.length; i++) {
        assertThat(values[i]).isEqualTo(embedding[ids[i / E] * E + i % E]);
      }
    }
    try (Adapter sampled =
        create("PROMPT_TUNING", count + ", \"prompt_tuning_init\": \"SAMPLE_VOCAB\"")) {
      float[] first = java.util.Arrays.copyOf(values(sampled, "prompt_embeddings"), E);
      boolean found = false;
      for (int row = 0; row < V; row++) {
        found |= java.util.Arrays.equals(first, 0, E, embedding, row * E, (row + 1) * E);
      }
      assertThat(found).isTrue();
    }
    try (Adapter prefix = create("PREFIX_TUNING", count)) {
      assertNormal(prefix, "embedding.layers.2.weight", 1);
      assertThat(prefix.config().get("token_dim").asInt()).isEqualTo(32);
      assertThat(prefix.config().get("num_attention_heads").asInt()).isEqualTo(2);
    }
    try (Adapter zero = create("PREFIX_TUNING", count + ", \"init_weights\": \"zero\"")) {
      assertThat(values(zero, "embedding.layers.0.weight")).containsOnly(0);
    }
  }

  @Test
  void networksOfVirtualTokensStartAsTorchsModulesDo() {
    String size = "\"num_virtual_tokens\": 40, \"encoder_hidden_size\": 36";
    try (Adapter mlp = create("P_TUNING", size)) {
      assertNormal(mlp, "embedding.weight", 1);
      assertUniform(mlp, "mlp_head.0.weight", 1 / Math.sqrt(E));
      assertUniform(mlp, "mlp_head.4.weight", 1 / Math.sqrt(36));
      assertThat(values(mlp, "mlp_head.2.bias")).hasSize(36);
    }
    try (Adapter lstm =
        create("P_TUNING", size + ", \"encoder_reparameterization_type\": \"LSTM\"")) {
      assertUniform(lstm, "lstm_head.weight_ih_l0", 1 / Math.sqrt(36));
      assertUniform(lstm, "lstm_head.weight_hh_l1_reverse", 1 / Math.sqrt(36));
      assertUniform(lstm, "mlp_head.0.weight", 1 / Math.sqrt(72));
    }
    try (Adapter prefix = create("PREFIX_TUNING", size + ", \"prefix_projection\": true")) {
      assertUniform(prefix, "transform.0.weight", 1 / Math.sqrt(32));
      assertUniform(prefix, "transform.2.layers.1.weight", 1 / Math.sqrt(36));
    }
  }

  private static float[] values(Adapter adapter, String name) {
    return adapter.weight(name).toFloatArray();
  }

  private static void assertUniform(Adapter adapter, String name, double bound) {
    float[] values = values(adapter, name);
    double square = 0;
    for (float value : values) {
      assertThat(Math.abs(value)).isLessThanOrEqualTo((float) bound);
      square += (double) value * value;
    }
    double deviation = bound / Math.sqrt(3);
    assertThat(Math.sqrt(square / values.length)).isCloseTo(deviation, within(0.06 * deviation));
  }

  private static void assertNormal(Adapter adapter, String name, double deviation) {
    float[] values = values(adapter, name);
    double sum = 0;
    double square = 0;
    int beyond = 0;
    for (float value : values) {
      sum += value;
      square += (double) value * value;
      beyond += Math.abs(value) > 2 * deviation ? 1 : 0;
    }
    int n = values.length;
    assertThat(sum / n).isCloseTo(0, within(4 * deviation / Math.sqrt(n)));
    assertThat(Math.sqrt(square / n)).isCloseTo(deviation, within(0.06 * deviation));
    assertThat((double) beyond / n).isCloseTo(0.0455, within(0.015));
  }
}
