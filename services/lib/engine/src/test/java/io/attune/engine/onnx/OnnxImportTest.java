package io.attune.engine.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.SafeTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tiny BERTs as PyTorch 2.15 exports them, with the weights that transformers 5.18.0 has for the
 * same model.
 */
class OnnxImportTest {
  @TempDir Path folder;

  /**
   * Composed layer norm and gelu; operators for both; attention as scaled_dot_product_attention.
   */
  @ParameterizedTest
  @ValueSource(strings = {"eager-opset14", "eager-opset20", "sdpa-opset18"})
  void recoversEveryWeightAndSetting(String name) throws Exception {
    Path out = folder.resolve("out");

    OnnxImport.Summary summary = OnnxImport.write(exported(name), out, null);

    assertThat(summary).isEqualTo(new OnnxImport.Summary(2, 8, 2, Pooling.MEAN, true));
    try (SafeTensors expected = SafeTensors.open(Golden.path("onnx/model.safetensors"));
        SafeTensors actual = SafeTensors.open(out.resolve("model.safetensors"))) {
      assertThat(actual.names()).containsExactlyInAnyOrderElementsOf(expected.names());
      for (String tensor : expected.names()) {
        assertThat(actual.info(tensor).shape()).isEqualTo(expected.info(tensor).shape());
        assertThat(actual.data(tensor)).as(tensor).isEqualTo(expected.data(tensor));
      }
    }
    JsonNode config = json(out.resolve("config.json"));
    assertThat(config)
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"architectures": ["BertModel"], "model_type": "bert", "vocab_size": 24,
                     "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
                     "intermediate_size": 12, "hidden_act": "gelu", "max_position_embeddings": 10,
                     "type_vocab_size": 2, "layer_norm_eps": 1.0E-6, "pad_token_id": 0,
                     "dtype": "float32"}"""));
  }

  @Test
  void writesWhatTransformersAndSentenceTransformersRead() throws Exception {
    Path out = folder.resolve("out");

    OnnxImport.write(exported("eager-opset20"), out, Pooling.CLS);

    assertThat(out.resolve("tokenizer.json"))
        .hasSameBinaryContentAs(Golden.path("onnx/tokenizer.json"));
    assertThat(json(out.resolve("tokenizer_config.json")))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"tokenizer_class": "BertTokenizer", "model_max_length": 10,
                     "do_lower_case": true, "tokenize_chinese_chars": true, "strip_accents": null,
                     "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]",
                     "unk_token": "[UNK]", "mask_token": "[MASK]"}"""));
    JsonNode pooling = json(out.resolve("1_Pooling/config.json"));
    assertThat(pooling.get("pooling_mode_cls_token").asBoolean()).isTrue();
    assertThat(pooling.get("pooling_mode_mean_tokens").asBoolean()).isFalse();
    assertThat(json(out.resolve("modules.json")).findValuesAsText("path"))
        .containsExactly("", "1_Pooling", "2_Normalize");
  }

  /** As folders on the hub are laid out: the graph below the files that belong to it. */
  @Test
  void takesWhatLiesBesideTheGraph() throws Exception {
    Path hub = Files.createDirectories(folder.resolve("hub/onnx")).getParent();
    Files.copy(Golden.path("onnx/eager-opset14.onnx"), hub.resolve("onnx/model.onnx"));
    Files.copy(Golden.path("onnx/tokenizer.json"), hub.resolve("tokenizer.json"));
    Files.writeString(
        hub.resolve("config.json"),
        "{\"model_type\": \"bert\", \"hidden_size\": 8, \"hidden_dropout_prob\": 0.2}");
    Files.writeString(hub.resolve("tokenizer_config.json"), "{\"model_max_length\": 7}");
    Files.createDirectory(hub.resolve("1_Pooling"));
    Files.writeString(
        hub.resolve("1_Pooling/config.json"),
        "{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": false}");
    Files.writeString(
        hub.resolve("modules.json"),
        "[{\"type\": \"sentence_transformers.models.Transformer\"},"
            + " {\"type\": \"sentence_transformers.models.Pooling\"}]");
    Path out = folder.resolve("out");

    OnnxImport.Summary summary = OnnxImport.write(hub.resolve("onnx/model.onnx"), out, null);

    assertThat(summary.pooling()).isEqualTo(Pooling.CLS);
    assertThat(summary.poolingAssumed()).isFalse();
    assertThat(json(out.resolve("tokenizer_config.json")).get("model_max_length").asInt())
        .isEqualTo(7);
    assertThat(json(out.resolve("modules.json"))).hasSize(2);
    assertThat(json(out.resolve("config.json")).get("hidden_dropout_prob").asDouble())
        .isEqualTo(0.2);
  }

  @Test
  void refusesConfigThatContradictsTheGraph() throws Exception {
    Path graph = exported("eager-opset14");
    Files.writeString(
        graph.resolveSibling("config.json"),
        "{\"model_type\": \"bert\", \"layer_norm_eps\": 1e-5}");

    assertRefused(graph, Reason.INCOMPATIBLE, "layer_norm_eps 1.0E-5");
  }

  @Test
  void refusesTokenizerOfALargerVocabulary() throws Exception {
    Path graph = exported("eager-opset14");
    Path tokenizer = graph.resolveSibling("tokenizer.json");
    Files.writeString(
        tokenizer, Files.readString(tokenizer).replace("\"kettle\":23", "\"kettle\":24"));

    assertRefused(graph, Reason.INCOMPATIBLE, "24");
  }

  @Test
  void refusesGraphWithoutTokenizer() throws Exception {
    Path graph = exported("eager-opset14");
    Files.delete(graph.resolveSibling("tokenizer.json"));

    assertRefused(graph, Reason.IO, "tokenizer.json");
  }

  private Path exported(String name) throws IOException {
    Path graph = Files.createDirectories(folder.resolve("exported")).resolve("model.onnx");
    Files.copy(Golden.path("onnx/" + name + ".onnx"), graph);
    Files.copy(Golden.path("onnx/tokenizer.json"), graph.resolveSibling("tokenizer.json"));
    return graph;
  }

  private void assertRefused(Path graph, Reason reason, String message) {
    assertThatThrownBy(() -> OnnxImport.write(graph, folder.resolve("out"), null))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(reason))
        .hasMessageContaining(message);
    assertThat(folder.resolve("out")).doesNotExist();
  }

  private static JsonNode json(Path path) throws IOException {
    return new ObjectMapper().readTree(path.toFile());
  }
}
