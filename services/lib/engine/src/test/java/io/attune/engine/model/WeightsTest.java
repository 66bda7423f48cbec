package io.attune.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadOptions;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Fresh weights as each family draws them, and the names that hub checkpoints use. */
class WeightsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    // Weight, mean, deviation: as transformers' _init_weights of the family has them.
    "gpt2, transformer.wte.weight, 0, 0.02",
    "gpt2, transformer.wpe.weight, 0, 0.02",
    "gpt2, transformer.h.1.attn.c_attn.weight, 0, 0.02",
    "gpt2, transformer.h.1.attn.c_proj.weight, 0, 0.01",
    "gpt2, transformer.h.0.mlp.c_proj.weight, 0, 0.01",
    "gpt2, transformer.h.0.mlp.c_proj.bias, 0, 0",
    "gpt2, transformer.ln_f.weight, 1, 0",
    "gpt2, transformer.ln_f.bias, 0, 0",
    "gemma2, model.norm.weight, 0, 0",
    "gemma2, model.layers.0.post_feedforward_layernorm.weight, 0, 0",
    "gemma2, model.layers.0.mlp.up_proj.weight, 0, 0.02",
    "qwen2, model.layers.0.self_attn.q_proj.bias, 0, 0",
    "qwen2, lm_head.weight, 0, 0.02",
    "qwen3, model.layers.0.self_attn.q_norm.weight, 1, 0",
    "phi3, model.layers.1.self_attn.qkv_proj.weight, 0, 0.02",
    "mistral, model.layers.1.input_layernorm.weight, 1, 0",
    "t5-relu, shared.weight, 0, 1",
    "t5-relu, encoder.block.0.layer.0.SelfAttention.q.weight, 0, 0.072168784",
    "t5-relu, encoder.block.0.layer.0.SelfAttention.k.weight, 0, 0.204124145",
    "t5-relu, decoder.block.0.layer.1.EncDecAttention.o.weight, 0, 0.176776695",
    "t5-relu, encoder.block.0.layer.1.DenseReluDense.wi.weight, 0, 0.204124145",
    "t5-relu, encoder.block.0.layer.1.DenseReluDense.wo.weight, 0, 0.158113883",
    "t5-relu, decoder.final_layer_norm.weight, 1, 0",
    "bart-scaled, model.encoder.layers.0.fc1.weight, 0, 0.02",
    "bert-classifier, classifier.weight, 0, 0.02",
    "bert-classifier, classifier.bias, 0, 0"
  })
  void freshWeightsAreThoseOfTheFamily(String family, String name, double mean, double deviation) {
    try (Weights weights = Weights.random(model(family), 3)) {
      float[] values = weights.get(name).toFloatArray();
      double sum = 0;
      double squares = 0;
      for (float value : values) {
        sum += value;
        squares += (value - mean) * (value - mean);
      }
      double expected = deviation / Math.sqrt(values.length);
      assertThat(sum / values.length).isCloseTo(mean, within(4 * expected));
      assertThat(Math.sqrt(squares / values.length)).isCloseTo(deviation, within(4 * expected));
    }
  }

  @Test
  void theEmbeddingOfPaddingStartsAtZero() {
    try (Weights llama = Weights.random(model("llama"), 3);
        Weights gpt2 = Weights.random(model("gpt2"), 3)) {
      assertThat(llama.get("model.embed_tokens.weight").get(0).toFloatArray()).containsOnly(0);
      assertThat(llama.get("model.embed_tokens.weight").get(1).toFloatArray()).doesNotContain(0);
      assertThat(gpt2.get("transformer.wte.weight").get(0).toFloatArray()).doesNotContain(0);
    }
  }

  /** As in the first files of GPT-2 on the hub: no prefix, masks stored as buffers. */
  @Test
  void checkpointsWithoutPrefixAndWithBuffersAreTheSameModel() throws IOException {
    Path original = Golden.path("models/gpt2");
    for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
      Files.copy(original.resolve(file), folder.resolve(file));
    }
    List<TensorData> tensors = new ArrayList<>();
    try (SafeTensors file = SafeTensors.open(original.resolve("model.safetensors"))) {
      for (String name : file.names()) {
        float[] values = Golden.tensor(original.resolve("model.safetensors"), name);
        String bare = name.replaceFirst("^transformer\\.", "");
        tensors.add(TensorData.of(bare, file.info(name).shape(), values));
      }
    }
    for (int i = 0; i < 2; i++) {
      tensors.add(
          TensorData.of("h." + i + ".attn.bias", new long[] {1, 1, 128, 128}, new float[1 << 14]));
      tensors.add(TensorData.of("h." + i + ".attn.masked_bias", new long[0], new float[] {-1e4f}));
    }
    SafeTensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    List<int[]> text = List.of(new int[] {7, 8, 9});
    try (LanguageModel bare = LanguageModel.load(folder, LoadOptions.defaults());
        LanguageModel model = LanguageModel.load(original, LoadOptions.defaults())) {
      assertThat(bare.logits(text, null, false).get(0))
          .containsExactly(model.logits(text, null, false).get(0));
    }
  }

  @Test
  void aTextLongerThanTheLearnedPositionsIsRefused() {
    try (LanguageModel model =
        LanguageModel.load(Golden.path("models/gpt2"), LoadOptions.defaults())) {
      assertThat(model.logits(List.of(new int[128]), null, false)).hasSize(1);
      assertThatThrownBy(() -> model.logits(List.of(new int[129]), null, false))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("129")
          .hasMessageContaining("128");
    }
  }

  private static Architecture model(String name) {
    ObjectNode config = HubLayout.of(Golden.path("models/" + name)).config();
    return Models.architecture(config, name);
  }
}
