package io.attune.engine.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.Golden;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadOptions;
import io.attune.engine.ProgressListener;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.token.ChatMessage;
import io.attune.engine.token.ChatTemplate;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Models written by gguf-py 0.19.0, against what transformers 5.18.0 loads from the same files:
 * {@code state_dict()} and logits.
 */
class GgufImportTest {
  private static final int[] IDS = {5, 77, 199, 3, 260, 301, 44, 9};

  @TempDir Path folder;

  private Path imported(Path file, TensorType type) {
    Path out = folder.resolve("out");
    GgufImport.run(file, out, type, ProgressListener.NONE);
    return out;
  }

  private Path imported(Path file) {
    return imported(file, TensorType.F32);
  }

  private static JsonNode json(Path path) throws IOException {
    return new ObjectMapper().readTree(path.toFile());
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "qwen2", "qwen3"})
  void weightsAreTheReferencesBits(String name) {
    Path out = imported(Golden.path("gguf/" + name + ".gguf"));

    try (SafeTensors actual = SafeTensors.open(out.resolve("model.safetensors"));
        SafeTensors expected = SafeTensors.open(Golden.path("gguf/" + name + ".safetensors"))) {
      List<String> names = new ArrayList<>(expected.names());
      names.remove("logits");
      assertThat(actual.names()).containsAll(names).hasSize(names.size() + 1);
      assertThat(actual.info("model.embed_tokens.weight").shape()).containsExactly(400, 32);
      for (String tensor : names) {
        assertThat(actual.info(tensor).shape()).as(tensor).isEqualTo(expected.info(tensor).shape());
        assertThat(actual.data(tensor)).as(tensor).isEqualTo(expected.data(tensor));
      }
    }
  }

  @Test
  void logitsAreTheReferences() {
    Path out = imported(Golden.path("gguf/llama.gguf"));

    try (LanguageModel model = LanguageModel.load(out, LoadOptions.defaults())) {
      float[] logits = model.logits(List.of(IDS), null, false).get(0);
      float[] expected = Golden.tensor("gguf/llama.safetensors", "logits");
      assertThat(logits).hasSize(expected.length);
      for (int i = 0; i < logits.length; i++) {
        assertThat(logits[i]).isCloseTo(expected[i], within(1e-4f));
      }
    }
  }

  @Test
  void configSaysWhatTheMetadataSay() throws Exception {
    Path out = imported(Golden.path("gguf/llama.gguf"));

    assertThat(json(out.resolve("config.json")))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"architectures": ["LlamaForCausalLM"], "model_type": "llama",
                     "vocab_size": 400, "hidden_size": 32, "intermediate_size": 64,
                     "num_hidden_layers": 1, "num_attention_heads": 2,
                     "num_key_value_heads": 1, "head_dim": 16, "hidden_act": "silu",
                     "max_position_embeddings": 128, "rms_norm_eps": 1e-5,
                     "rope_theta": 10000.0, "attention_bias": false, "mlp_bias": false,
                     "tie_word_embeddings": true, "torch_dtype": "float32",
                     "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}"""));
    assertThat(json(out.resolve("generation_config.json")).get("eos_token_id").asInt())
        .isEqualTo(2);
    assertThat(json(out.resolve("tokenizer_config.json")).get("eos_token").asText())
        .isEqualTo("<|im_end|>");
    assertThat(
            ChatTemplate.open(HubLayout.of(out))
                .orElseThrow()
                .render(List.of(new ChatMessage("user", "Hi")), true))
        .isEqualTo("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  }

  @Test
  void qwenConfigsHaveTheirFamiliesFields() throws Exception {
    JsonNode qwen2 = json(imported(Golden.path("gguf/qwen2.gguf")).resolve("config.json"));
    assertThat(qwen2.get("model_type").asText()).isEqualTo("qwen2");
    assertThat(qwen2.has("attention_bias")).isFalse();
    assertThat(qwen2.has("head_dim")).isFalse();

    Path other = folder.resolve("other");
    GgufImport.run(Golden.path("gguf/qwen3.gguf"), other, TensorType.F32, ProgressListener.NONE);
    JsonNode qwen3 = json(other.resolve("config.json"));
    assertThat(qwen3.get("model_type").asText()).isEqualTo("qwen3");
    assertThat(qwen3.get("attention_bias").asBoolean()).isFalse();
    assertThat(qwen3.get("head_dim").asInt()).isEqualTo(16);
  }

  @ParameterizedTest
  @CsvSource({"BF16, bfloat16", "F16, float16"})
  void narrowWeightsAreRounded(TensorType type, String name) throws Exception {
    Path wide = imported(Golden.path("gguf/llama.gguf"));
    Path narrow = folder.resolve("narrow");
    GgufImport.run(Golden.path("gguf/llama.gguf"), narrow, type, ProgressListener.NONE);

    assertThat(json(narrow.resolve("config.json")).get("torch_dtype").asText()).isEqualTo(name);
    try (SafeTensors expected = SafeTensors.open(wide.resolve("model.safetensors"));
        SafeTensors actual = SafeTensors.open(narrow.resolve("model.safetensors"))) {
      for (String tensor : expected.names()) {
        assertThat(actual.info(tensor).type()).isEqualTo(type);
        ByteBuffer values = expected.data(tensor);
        ByteBuffer rounded = actual.data(tensor);
        for (int i = 0; i < values.remaining() / Float.BYTES; i++) {
          float value = values.getFloat(i * Float.BYTES);
          assertThat(rounded.getShort(i * Short.BYTES))
              .isEqualTo(
                  type == TensorType.BF16
                      ? HalfPrecision.toBfloat16(value)
                      : HalfPrecision.toFloat16(value));
        }
      }
    }
  }

  @Test
  void tellsOfEveryWeightAndOfAMissingPreTokenizer() throws Exception {
    Path file =
        GgufBuilder.copy(Golden.path("gguf/llama.gguf"), "tokenizer.ggml.pre")
            .write(folder.resolve("x.gguf"));
    List<Integer> steps = new ArrayList<>();
    List<String> notices = new ArrayList<>();
    GgufImport.run(
        file,
        folder.resolve("out"),
        TensorType.F32,
        new ProgressListener() {
          @Override
          public void onStep(int step, int total, Map<String, Double> metrics) {
            assertThat(total).isEqualTo(11);
            steps.add(step);
          }

          @Override
          public void onNotice(String message) {
            notices.add(message);
          }
        });
    assertThat(steps).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    assertThat(notices).singleElement().asString().contains("the default is taken");
  }

  @Test
  void keepsAnOutputLayerOfItsOwn() throws Exception {
    Path file =
        GgufBuilder.copy(Golden.path("gguf/llama.gguf"))
            .zeros("output.weight", 400, 32)
            .write(folder.resolve("x.gguf"));
    Path out = imported(file);

    assertThat(json(out.resolve("config.json")).get("tie_word_embeddings").asBoolean()).isFalse();
    try (LanguageModel model = LanguageModel.load(out, LoadOptions.defaults())) {
      assertThat(model.logits(List.of(IDS), null, false).get(0)).containsOnly(0);
    }
  }

  @Test
  void stopsAtTheEndsOfTurnsToo() throws Exception {
    Path file =
        GgufBuilder.copy(Golden.path("gguf/llama.gguf"))
            .number("tokenizer.ggml.eot_token_id", 1)
            .number("tokenizer.ggml.eom_token_id", 2)
            .write(folder.resolve("x.gguf"));

    assertThat(json(imported(file).resolve("generation_config.json")).get("eos_token_id"))
        .hasToString("[1,2]");
  }

  @Test
  void biasesOfQueriesAndKeysAreReorderedAsTheirRows() throws Exception {
    ByteBuffer numbers = GgufBuilder.bytes(4 * 32);
    for (int i = 0; i < 32; i++) {
      numbers.putFloat(i);
    }
    Path file =
        GgufBuilder.copy(Golden.path("gguf/llama.gguf"))
            .tensor("blk.0.attn_q.bias", 0, numbers.array(), 32)
            .zeros("blk.0.attn_k.bias", 16)
            .zeros("blk.0.attn_v.bias", 16)
            .zeros("blk.0.attn_output.bias", 32)
            .write(folder.resolve("x.gguf"));
    Path out = imported(file);

    assertThat(json(out.resolve("config.json")).get("attention_bias").asBoolean()).isTrue();
    float[] bias =
        Golden.tensor(out.resolve("model.safetensors"), "model.layers.0.self_attn.q_proj.bias");
    for (int head = 0; head < 2; head++) {
      for (int pair = 0; pair < 8; pair++) {
        assertThat(bias[16 * head + pair]).isEqualTo(16 * head + 2 * pair);
        assertThat(bias[16 * head + 8 + pair]).isEqualTo(16 * head + 2 * pair + 1);
      }
    }
  }
}
