package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.token.TokenizedText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an encoder does not compute exactly is refused, by name. */
class EncoderRefusalTest {
  @TempDir Path folder;

  @BeforeEach
  void copyModel() throws IOException {
    try (Stream<Path> files = Files.list(Golden.path("models/bert-model"))) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName().toString()));
      }
    }
  }

  private void assertRefused(Reason reason, String... words) {
    assertThatThrownBy(() -> PretrainedModel.load(folder, LoadOptions.defaults()).close())
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(reason))
        .hasMessageContainingAll(words);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"is_decoder\": false|\"is_decoder\": true|'is_decoder' is true",
        "\"hidden_act\": \"gelu_new\"|\"hidden_act\": \"mish\"|'hidden_act' is mish",
        "\"use_cache\": true|\"position_embedding_type\": \"relative_key\"|"
            + "'position_embedding_type' is relative_key",
        "\"use_cache\": true|\"parallel_attention\": true|'parallel_attention' is true",
        "\"BertModel\"|\"BertForQuestionAnswering\"|'architectures' is BertForQuestionAnswering",
        "\"BertModel\"|\"RobertaModel\"|'architectures' is RobertaModel",
        "\"use_cache\": true|\"problem_type\": \"ranking\"|'problem_type' is ranking"
      })
  void settingThatIsNotImplemented(String from, String to, String message) throws IOException {
    Path config = folder.resolve("config.json");
    Files.writeString(config, Files.readString(config).replace(from, to));
    assertRefused(Reason.UNSUPPORTED, "config.json", message);
  }

  @Test
  void labelsWithAGap() throws IOException {
    Path config = folder.resolve("config.json");
    String json = Files.readString(config);
    Files.writeString(
        config, json.replace("\"use_cache\": true", "\"id2label\": {\"0\": \"a\", \"2\": \"b\"}"));
    assertRefused(Reason.CORRUPT, "'id2label' has 2 labels, but none for 1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"word_embedding_dimension\":32,\"pooling_mode_weightedmean_tokens\":true}|"
            + "pooling_mode_weightedmean_tokens' asks for weightedmean pooling",
        "{\"embedding_dimension\":32,\"pooling_mode\":\"lasttoken\"}|lasttoken pooling",
        "{\"embedding_dimension\":48,\"pooling_mode\":\"mean\"}|the encoder has 32",
        "{\"embedding_dimension\":32,\"include_prompt\":false}|'include_prompt' is false"
      })
  void poolingThatIsNotImplemented(String pooling, String message) throws IOException {
    Files.writeString(
        folder.resolve("modules.json"),
        """
        [{"path": "", "type": "sentence_transformers.models.Transformer"},
         {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
        """);
    Files.createDirectory(folder.resolve("1_Pooling"));
    Files.writeString(folder.resolve("1_Pooling/config.json"), pooling);
    assertThatThrownBy(() -> PretrainedModel.load(folder, LoadOptions.defaults()).close())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(message);
  }

  @Test
  void moduleThatIsNotImplemented() throws IOException {
    Files.writeString(
        folder.resolve("modules.json"),
        """
        [{"path": "", "type": "sentence_transformers.models.Transformer"},
         {"path": "1_CNN", "type": "sentence_transformers.models.CNN"}]
        """);
    assertRefused(Reason.UNSUPPORTED, "modules.json", "sentence_transformers.models.CNN");
    Files.writeString(
        folder.resolve("modules.json"),
        "[{\"path\": \"../..\", \"type\": \"sentence_transformers.models.Transformer\"}]");
    assertRefused(Reason.CORRUPT, "'../..' leads out of the model's folder");
  }

  @Test
  void textThatTheModelCannotRead() {
    try (TextEncoder model = TextEncoder.load(folder, LoadOptions.defaults())) {
      int[] many = new int[65];
      Arrays.fill(many, 7);
      assertThatThrownBy(() -> model.hidden(List.of(TokenizedText.of(many)), null, false))
          .hasMessageContaining("a text has 65 tokens")
          .hasMessageContaining("reads 64");
      assertThatThrownBy(() -> model.hidden(List.of(TokenizedText.of()), null, false))
          .hasMessageContaining("a text has no token");
      TokenizedText segments = new TokenizedText(new int[] {7}, new int[] {2});
      assertThatThrownBy(() -> model.hidden(List.of(segments), null, false))
          .hasMessageContaining("token_type_ids has 2; the model has 2");
    }
  }

  @Test
  void anotherKindOfModel() {
    assertThatThrownBy(() -> TextEncoder.load(Golden.path("models/llama"), LoadOptions.defaults()))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("holds a decoder-only language model")
        .hasMessageContaining("this needs a text encoder");
    assertThatThrownBy(() -> LanguageModel.load(folder, LoadOptions.defaults()))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("holds a text encoder ('model_type' bert)");
  }

  /** A head that neither the model nor the adapter has would be drawn at random. */
  @Test
  void adapterWithoutTheHeadThatItNeeds() throws IOException {
    Path adapter = Files.createDirectory(folder.resolve("adapter"));
    Path from = Golden.path("adapters/bert-token-cls");
    String config = Files.readString(from.resolve("adapter_config.json"));
    Files.writeString(
        adapter.resolve("adapter_config.json"),
        config.replaceAll("(?s)\"modules_to_save\": \\[.*?\\]", "\"modules_to_save\": null"));
    try (var stored = SafeTensors.open(from.resolve("adapter_model.safetensors"))) {
      SafeTensorsWriter.write(
          adapter.resolve("adapter_model.safetensors"),
          stored.names().stream()
              .filter(name -> !name.contains("classifier"))
              .map(name -> TensorData.copy(stored, name, name))
              .toList(),
          SafeTensorsWriter.PYTORCH);
    }
    try (TextEncoder model = TextEncoder.load(folder, LoadOptions.defaults())) {
      assertThatThrownBy(() -> model.loadAdapter(adapter).close())
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("needs the weight 'classifier.weight'")
          .hasMessageContaining("modules_to_save");
      assertThatThrownBy(
              () -> model.merge(Golden.path("adapters/bert-new-head"), folder.resolve("merged")))
          .hasMessageContaining("SEQ_CLS with 5 labels");
    }
  }
}
