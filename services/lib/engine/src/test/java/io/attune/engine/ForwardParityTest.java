package io.attune.engine;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Logits of every golden adapter, padded rows included. */
class ForwardParityTest {

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
      Golden.assertLogits(
          logits,
          sequences,
          Golden.tensor(folder + "/expected.safetensors", tensor),
          model.config().vocabSize());
    }
  }
}
