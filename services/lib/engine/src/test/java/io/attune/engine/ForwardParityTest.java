package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Logits of every golden adapter, padded rows included. */
class ForwardParityTest {

  @ParameterizedTest
  @CsvSource({
    "lora,false",
    "lora,true",
    "lora-all-rslora,false",
    "lora-all-rslora,true",
    "lora-patterns,false",
    "lora-patterns,true",
    "lora-gpt2,false",
    "lora-gpt2,true",
    "lora-phi3,false",
    "lora-phi3,true",
    "lora-gemma2,false",
    "lora-gemma2,true",
    "lora-qwen3,false",
    "lora-qwen3,true"
  })
  void logitsWithAdapterAgreeWithPeft(String name, boolean merged) throws IOException {
    String folder = "adapters/" + name;
    JsonNode expected = Golden.json(folder + "/expected.json");
    Path base = Golden.path(expected.get("base").asText());
    List<int[]> sequences = Golden.sequences(expected);
    try (LanguageModel model = LanguageModel.load(base, LoadOptions.defaults());
        LoadedAdapter adapter = model.loadAdapter(Golden.path(folder))) {
      List<float[]> logits = model.logits(sequences, adapter, merged);
      String tensor = merged ? "merged_logits" : "logits";
      Golden.assertLogits(
          logits,
          sequences,
          Golden.tensor(folder + "/expected.safetensors", tensor),
          model.config().vocabSize());
    }
  }

  /** The head {@code score}, read at the last token of each row. */
  @ParameterizedTest
  @ValueSource(strings = {"reward-gpt2", "reward-gemma2"})
  void scoresAgreeWithPeft(String name) throws IOException {
    String folder = "adapters/" + name;
    JsonNode expected = Golden.json(folder + "/expected.json");
    Path base = Golden.path(expected.get("base").asText());
    try (LanguageModel model = LanguageModel.load(base, LoadOptions.defaults());
        RewardModel reward = RewardModel.load(model, Golden.path(folder))) {
      float[] scores = reward.score(Golden.sequences(expected));
      for (int row = 0; row < scores.length; row++) {
        assertThat(scores[row])
            .isCloseTo(expected.get("scores").get(row).floatValue(), within(1e-4f));
      }
    }
  }
}
