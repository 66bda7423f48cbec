package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.generate.BeamSearchParameters;
import io.attune.engine.generate.ScoredText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Adapters of encoder-decoders as peft has them: LoRA on its default targets and on every linear
 * layer, DoRA, IA3.
 */
class SequenceAdapterTest {

  @ParameterizedTest
  @CsvSource({
    "t5-lora,false",
    "t5-lora,true",
    "t5-lora-all,false",
    "t5-lora-all,true",
    "bart-lora,false",
    "bart-lora,true",
    "bart-lora-all,false",
    "bart-lora-all,true",
    "t5-ia3,false",
    "t5-ia3,true",
    "bart-dora,false",
    "bart-dora,true"
  })
  void logitsAgreeWithPeft(String name, boolean merged) throws IOException {
    JsonNode expected = expected(name);
    try (SequenceToSequence model = model(expected);
        LoadedSequenceAdapter adapter = model.loadAdapter(Golden.path("adapters/" + name))) {
      assertLogits(
          logits(model, adapter, expected, merged),
          Golden.tensor(
              "adapters/" + name + "/expected.safetensors", merged ? "merged_logits" : "logits"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"t5-lora", "t5-lora-all", "bart-lora", "bart-lora-all", "t5-ia3", "bart-dora"})
  void searchesWithAnAdapterFindWhatPeftFinds(String name) throws IOException {
    JsonNode expected = expected(name);
    try (SequenceToSequence model = model(expected);
        LoadedSequenceAdapter adapter = model.loadAdapter(Golden.path("adapters/" + name))) {
      List<List<ScoredText>> found =
          model.search(
              Golden.sequences(expected),
              adapter,
              BeamSearchParameters.of(3),
              model.constraints(8));
      for (int row = 0; row < found.size(); row++) {
        int[] tokens = found.get(row).get(0).tokens();
        int[] reference = Golden.ints(expected.get("beams").get(row));
        assertThat(tokens).containsExactly(Arrays.copyOfRange(reference, 1, 1 + tokens.length));
        assertThat(found.get(row).get(0).score())
            .isCloseTo(expected.get("scores").get(row).floatValue(), within(1e-4f));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"t5-lora", "t5-lora-all", "bart-lora", "bart-lora-all"})
  void aSavedAdapterIsTheOneThatWasRead(String name, @TempDir Path folder) throws IOException {
    JsonNode expected = expected(name);
    try (SequenceToSequence model = model(expected)) {
      try (Adapter adapter = model.readAdapter(Golden.path("adapters/" + name))) {
        long trained = adapter.parameters().values().stream().mapToLong(a -> a.size()).sum();
        assertThat(trained).isEqualTo(expected.get("trainable").longValue());
        assertThat(adapter.config().get("task_type").asText()).isEqualTo("SEQ_2_SEQ_LM");
        AdapterFiles.write(folder, adapter.config(), adapter.tensors());
      }
      try (LoadedSequenceAdapter again = model.loadAdapter(folder)) {
        assertLogits(
            logits(model, again, expected, false),
            Golden.tensor("adapters/" + name + "/expected.safetensors", "logits"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"t5-lora", "t5-lora-all", "bart-lora", "bart-lora-all"})
  void aMergedFolderIsAModelOfItsOwn(String name, @TempDir Path folder) throws IOException {
    JsonNode expected = expected(name);
    Path out = folder.resolve("merged");
    try (SequenceToSequence model = model(expected)) {
      model.merge(Golden.path("adapters/" + name), out);
    }
    try (SequenceToSequence merged = SequenceToSequence.load(out, LoadOptions.defaults())) {
      assertLogits(
          logits(merged, null, expected, false),
          Golden.tensor("adapters/" + name + "/expected.safetensors", "merged_logits"));
    }
  }

  private static JsonNode expected(String name) throws IOException {
    return Golden.json("adapters/" + name + "/expected.json");
  }

  private static SequenceToSequence model(JsonNode expected) {
    return SequenceToSequence.load(
        Golden.path(expected.get("base").asText()), LoadOptions.defaults());
  }

  private static List<float[]> logits(
      SequenceToSequence model, LoadedSequenceAdapter adapter, JsonNode expected, boolean merged) {
    List<int[]> targets = new ArrayList<>();
    expected.get("labels").forEach(row -> targets.add(model.decoderInputs(Golden.ints(row))));
    return model.logits(Golden.sequences(expected), targets, adapter, merged);
  }

  private static void assertLogits(List<float[]> logits, float[] reference) {
    assertThat(logits.get(0).length * logits.size()).isEqualTo(reference.length);
    for (int row = 0; row < logits.size(); row++) {
      int width = logits.get(row).length;
      assertThat(logits.get(row))
          .containsExactly(
              Arrays.copyOfRange(reference, row * width, (row + 1) * width), within(1e-4f));
    }
  }
}
