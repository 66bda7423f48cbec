package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.tensor.LiveArrays;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters that cannot be run as PEFT runs them: one error that names what and why. */
class AdapterRefusalTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lora | {\"peft_type\": \"LOHA\"}                     | peft_type 'LOHA'; implemented are"
            + " BOTTLENECK, IA3, LORA",
        "lora | {\"use_qalora\": true}                        | 'use_qalora' is true",
        "lora | {\"alora_invocation_tokens\": [5, 6]}         | 'alora_invocation_tokens' is [5,6]",
        "lora | {\"megatron_config\": {\"a\": 1}}             | 'megatron_config' is",
        "lora | {\"layer_replication\": [[0, 1]]}             | 'layer_replication' is",
        "lora | {\"trainable_token_indices\": [3]}            | 'trainable_token_indices' is",
        "lora | {\"lora_bias\": true}                         | 'lora_bias' is true",
        "lora | {\"init_lora_weights\": \"pissa\"}            | 'init_lora_weights' is \"pissa\"",
        "lora | {\"bias\": \"some\"}                          | 'bias' is \"some\"",
        "lora | {\"r\": 0}                                    | 'r' is 0",
        "lora | {\"r\": \"many\"}                             | 'r' is \"many\", not an integer",
        "lora | {\"lora_dropout\": 1.5}                       | 'lora_dropout' is 1.5",
        "lora | {\"r\": 3}                                    | q_proj.lora_A.weight' has shape [4,"
            + " 32]",
        "lora | {\"target_modules\": [\"c_attn\"]}            | [\"c_attn\"] names no layer",
        "lora | {\"target_modules\": []}                      | 'target_modules' is empty",
        "lora | {\"target_modules\": \"(\"}                   | 'target_modules' '(' is no regular"
            + " expression",
        "lora | {\"target_modules\": \"(.*)(.*)(.*)(.*)(.*)(.*)x\"} | too many steps",
        "lora | {\"target_modules\": [\"q_proj\"]}            | v_proj.lora_A.weight' belongs to no"
            + " layer",
        "lora | {\"target_modules\": [\"q_proj\", \"v_proj\", \"o_proj\"]} | o_proj.lora_A.weight",
        "lora | {\"layers_pattern\": [\"layers\"]}            | 'layers_pattern' needs"
            + " 'layers_to_transform'",
        "lora | {\"target_modules\": \"all-linear\", \"layers_to_transform\": [1]} | to be a list,"
            + " not a text",
        "lora | {\"use_dora\": true}                          | lora_magnitude_vector",
        "lora | {\"rank_pattern\": {\"q_proj\": 2.5}}         | 'rank_pattern' has 2.5",
        "ia3  | {\"feedforward_modules\": []}                 | down_proj.ia3_l' has shape [1, 80]",
        "vera | {\"r\": 4}                                    | vera_lambda_d' has shape [8]",
        "vera | {\"target_modules\": [\"q_proj\", \"o_proj\", \"k_proj\"]} | k_proj.vera_lambda_b",
        "prompt-tuning | {\"num_virtual_tokens\": 4}          | 'prompt_embeddings' has shape [5,"
            + " 32]",
        "prompt-tuning | {\"token_dim\": 64}                  | 'token_dim' is 64; this model asks"
            + " for 32",
        "prompt-tuning | {\"num_transformer_submodules\": 2}  | 'num_transformer_submodules' is 2",
        "prefix-tuning | {\"num_layers\": 3}                  | 'num_layers' is 3; this model asks"
            + " for 2",
        "prefix-tuning | {\"num_attention_heads\": 4}         | 2 heads of keys and values",
        "p-tuning | {\"encoder_reparameterization_type\": \"GRU\"} |"
            + " 'encoder_reparameterization_type'"
      })
  void settingsAndTensorsThatDoNotFit(String name, String change, String message)
      throws IOException {
    Path path = copy(name);
    ObjectNode config = AdapterFiles.open(path).config();
    config.setAll((ObjectNode) new ObjectMapper().readTree(change));
    Files.write(path.resolve(AdapterFiles.CONFIG), JsonFiles.pretty(config));
    assertRefused("models/llama", path, message);
  }

  @Test
  void aTensorThatNobodyAskedFor() throws IOException {
    Path path = copy("vera");
    List<TensorData> tensors = new ArrayList<>();
    try (SafeTensors file =
        SafeTensors.open(Golden.path("adapters/vera").resolve(AdapterFiles.WEIGHTS))) {
      file.names().forEach(name -> tensors.add(TensorData.copy(file, name, name)));
      tensors.add(TensorData.of("base_model.vera_C", new long[] {1}, new float[] {1}));
      SafeTensorsWriter.write(
          path.resolve(AdapterFiles.WEIGHTS), tensors, SafeTensorsWriter.PYTORCH);
    }
    assertRefused("models/llama", path, "'base_model.vera_C' belongs to no layer");
  }

  @Test
  void aHeadThatIsTheEmbedding() throws IOException {
    Path path = copy("lora-tied-saved");
    ObjectNode config = AdapterFiles.open(path).config();
    config.putArray("modules_to_save").add("lm_head");
    Files.write(path.resolve(AdapterFiles.CONFIG), JsonFiles.pretty(config));
    assertThatThrownBy(
            () -> {
              try (LanguageModel tied =
                  LanguageModel.load(Golden.path("models/llama-rope3"), LoadOptions.defaults())) {
                tied.createAdapter(config, 1).close();
              }
            })
        .hasMessageContaining("its head shares the weight of the embedding");
  }

  private Path copy(String name) throws IOException {
    Path path = Files.createDirectories(folder.resolve(name));
    for (String file : List.of(AdapterFiles.CONFIG, AdapterFiles.WEIGHTS)) {
      Files.copy(Golden.path("adapters/" + name).resolve(file), path.resolve(file));
    }
    return path;
  }

  private static void assertRefused(String base, Path adapter, String message) {
    try (LanguageModel model = LanguageModel.load(Golden.path(base), LoadOptions.defaults())) {
      int arrays = LiveArrays.count();
      assertThatThrownBy(() -> model.loadAdapter(adapter))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining(message.strip())
          .hasMessageContaining(adapter.toString());
      assertThat(LiveArrays.count()).as("arrays left behind").isEqualTo(arrays);
    }
  }
}
