package io.attune.engine.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ids and segments of WordPiece (BERT) and byte-level BPE (RoBERTa) as transformers gives them. */
class EncoderTokenizerTest {
  @TempDir Path folder;

  private static EncoderTokenizer open(String model, boolean segmented) {
    HubLayout layout = HubLayout.of(Golden.path("models/" + model));
    return EncoderTokenizer.open(layout, EncoderTokenizer.modelMaxLength(layout, 512), segmented);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert-model", "roberta-model"})
  void textsAndPairsAreTheReferences(String model) throws IOException {
    JsonNode expected = Golden.json("models/" + model + "/tokens.json");
    try (EncoderTokenizer tokenizer = open(model, true)) {
      assertThat(tokenizer.maxTokens()).isEqualTo(expected.get("model_max_length").asInt());
      for (JsonNode text : expected.get("texts")) {
        assertThat(tokenizer.encode(text.get("text").asText()).ids())
            .as(text.get("text").asText())
            .containsExactly(Golden.ints(text.get("ids")));
      }
      for (JsonNode pair : expected.get("pairs")) {
        TokenizedText encoded =
            tokenizer.encode(pair.get("first").asText(), pair.get("second").asText());
        assertThat(encoded.ids()).as("%s", pair).containsExactly(Golden.ints(pair.get("ids")));
        assertThat(encoded.segments())
            .as("%s", pair)
            .containsExactly(Golden.ints(pair.get("types")));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert-model", "roberta-model"})
  void textsThatAreNotCutAreTheReferences(String model) throws IOException {
    JsonNode expected = Golden.json("models/" + model + "/tokens.json");
    try (EncoderTokenizer tokenizer =
        EncoderTokenizer.open(HubLayout.of(Golden.path("models/" + model)), 512, true)) {
      for (JsonNode text : expected.get("whole")) {
        assertThat(tokenizer.encode(text.get("text").asText()).ids())
            .containsExactly(Golden.ints(text.get("ids")));
      }
    }
  }

  /** Segments say nothing to a model without them, nor where the tokenizer leaves them out. */
  @Test
  void segmentsAreZeroWhereTheModelHasNone() {
    try (EncoderTokenizer bert = open("bert-model", false);
        EncoderTokenizer distilbert = open("distilbert-model", true);
        EncoderTokenizer segmented = open("bert-model", true)) {
      assertThat(bert.encode("No.", "Thanks!").segments()).containsOnly(0);
      assertThat(distilbert.encode("No.", "Thanks!").segments()).containsOnly(0);
      assertThat(segmented.encode("No.", "Thanks!").segments()).contains(0, 1);
    }
  }

  @Test
  void refusesToCutAtTheLeft() throws IOException {
    Path from = Golden.path("models/bert-model");
    for (String file : new String[] {"config.json", "tokenizer.json"}) {
      Files.copy(from.resolve(file), folder.resolve(file));
    }
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"truncation_side\": \"left\"}");
    assertThatThrownBy(() -> EncoderTokenizer.open(HubLayout.of(folder), 16, true))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("'truncation_side' is left");
  }
}
