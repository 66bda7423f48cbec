package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Logits and loss of every golden model and adapter, padded rows included. */
class ForwardParityTest {

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-rope3", "mistral", "qwen2", "qwen3"})
  void logitsAndLossAgreeWithTransformers(String name) throws IOException {
    String folder = "models/" + name;
    JsonNode expected = Golden.json(folder + "/expected.json");
    List<int[]> sequences = Golden.sequences(expected);
    try (LanguageModel model = LanguageModel.load(Golden.path(folder), LoadOptions.defaults())) {
      List<float[]> logits = model.logits(sequences, null, false);
      assertLogits(
          logits, sequences, Golden.tensor(folder + "/expected.safetensors", "logits"), model);
      assertThat(loss(logits, sequences, model.config().vocabSize()))
          .isCloseTo(expected.get("loss").doubleValue(), within(1e-5));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "lora,false",
    "lora,true",
    "lora-all-rslora,false",
    "lora-all-rslora,true",
    "lora-patterns,false",
    "lora-patterns,true"
  })
  void logitsWithAdapterAgreeWithPeft(String name, boolean merged) throws IOException {
    String folder = "adapters/" + name;
    List<int[]> sequences = Golden.sequences(Golden.json(folder + "/expected.json"));
    try (LanguageModel model =
            LanguageModel.load(Golden.path("models/llama"), LoadOptions.defaults());
        LoadedAdapter adapter = model.loadAdapter(Golden.path(folder))) {
      List<float[]> logits = model.logits(sequences, adapter, merged);
      String tensor = merged ? "merged_logits" : "logits";
      assertLogits(
          logits, sequences, Golden.tensor(folder + "/expected.safetensors", tensor), model);
    }
  }

  private static void assertLogits(
      List<float[]> logits, List<int[]> sequences, float[] expected, LanguageModel model) {
    int vocabulary = model.config().vocabSize();
    int width = expected.length / vocabulary / sequences.size();
    for (int row = 0; row < sequences.size(); row++) {
      for (int i = 0; i < sequences.get(row).length * vocabulary; i++) {
        assertThat(logits.get(row)[i])
            .isCloseTo(expected[row * width * vocabulary + i], within(1e-4f));
      }
    }
  }

  /** Mean negative log-likelihood of each next token, in double precision. */
  private static double loss(List<float[]> logits, List<int[]> sequences, int vocabulary) {
    double sum = 0;
    int count = 0;
    for (int row = 0; row < sequences.size(); row++) {
      int[] ids = sequences.get(row);
      for (int t = 0; t + 1 < ids.length; t++) {
        double total = 0;
        for (int v = 0; v < vocabulary; v++) {
          total += Math.exp(logits.get(row)[t * vocabulary + v]);
        }
        sum += Math.log(total) - logits.get(row)[t * vocabulary + ids[t + 1]];
        count++;
      }
    }
    return sum / count;
  }
}
