package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters of every kind that PEFT wrote: what they compute, merged or not, and write again. */
class AdapterParityTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lora",
        "lora-all-rslora",
        "lora-patterns",
        "lora-embedding",
        "lora-bias-all",
        "lora-bias-only",
        "lora-layers",
        "lora-exclude",
        "lora-all-linear",
        "dora",
        "dora-embedding",
        "ia3",
        "ia3-bias",
        "vera",
        "vera-drawn",
        "seed2/lora",
        "seed2/lora-all-rslora",
        "seed2/lora-patterns",
        "seed2/dora",
        "seed2/ia3",
        "seed2/vera"
      })
  void logitsAgreeBesideAndMergedAndTheWayBack(String name) throws IOException {
    try (LanguageModel model = model(name);
        LoadedAdapter adapter = model.loadAdapter(path(name))) {
      assertLogits(name, "logits", model, adapter, false);
      assertLogits(name, "merged_logits", model, adapter, true);
      assertUnmerged(model, adapter.adapter());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "prompt-tuning",
        "p-tuning",
        "prefix-tuning",
        "lora-tied-saved",
        "lora-tied-target",
        "seed2/prompt-tuning",
        "seed2/p-tuning",
        "seed2/prefix-tuning"
      })
  void logitsAgreeWhereNothingCanBeMerged(String name) throws IOException {
    try (LanguageModel model = model(name);
        LoadedAdapter adapter = model.loadAdapter(path(name))) {
      assertLogits(name, "logits", model, adapter, false);
      assertThatThrownBy(() -> model.merge(path(name), folder.resolve("merged")))
          .isInstanceOfSatisfying(
              EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNSUPPORTED))
          .hasMessageContaining("cannot be merged");
      assertThat(folder).isEmptyDirectory();
    }
  }

  /**
   * Texts of the base model and of all its adapters at the same time, more than there are slots.
   */
  @Test
  void oneGeneratorServesEveryKindWithTheReferencesTokens() throws IOException {
    JsonNode greedy = Golden.json("adapters/greedy.json");
    Map<String, LoadedAdapter> adapters = new LinkedHashMap<>();
    Map<String, List<CompletableFuture<int[]>>> written = new LinkedHashMap<>();
    try (LanguageModel model = model("lora");
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(5, 48))) {
      for (Map.Entry<String, JsonNode> entry : greedy.properties()) {
        String name = entry.getKey();
        adapters.put(name, model.loadAdapter(path(name)));
        List<CompletableFuture<int[]>> texts = new ArrayList<>();
        for (int[] prompt : Golden.sequences(expected(name))) {
          texts.add(write(generator, prompt, adapters.get(name)));
        }
        written.put(name, texts);
      }
      greedy
          .properties()
          .forEach(
              entry -> {
                for (int row = 0; row < entry.getValue().size(); row++) {
                  assertThat(written.get(entry.getKey()).get(row).join())
                      .as("%s, row %d", entry.getKey(), row)
                      .containsExactly(Golden.ints(entry.getValue().get(row)));
                }
              });
    } finally {
      adapters.values().forEach(LoadedAdapter::close);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lora-embedding",
        "lora-bias-only",
        "dora-embedding",
        "ia3-bias",
        "vera-drawn",
        "lora-tied-saved",
        "seed2/lora",
        "seed2/lora-all-rslora",
        "seed2/lora-patterns",
        "seed2/dora",
        "seed2/ia3",
        "seed2/vera",
        "seed2/prompt-tuning",
        "seed2/p-tuning",
        "seed2/prefix-tuning"
      })
  void generatedTokensAreTheReferences(String name) throws IOException {
    JsonNode expected = expected(name);
    List<int[]> prompts = Golden.sequences(expected);
    try (LanguageModel model = model(name);
        LoadedAdapter adapter = model.loadAdapter(path(name));
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(2, 48))) {
      for (int row = 0; row < prompts.size(); row++) {
        assertThat(write(generator, prompts.get(row), adapter).join())
            .containsExactly(Golden.ints(expected.get("greedy").get(row)));
      }
    }
  }

  @Test
  void virtualTokensCountAgainstTheCapacity() throws IOException {
    try (LanguageModel model = model("prefix-tuning");
        LoadedAdapter adapter = model.loadAdapter(path("prefix-tuning"));
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(1, 12))) {
      assertThat(write(generator, new int[] {5, 6, 7}, adapter).join()).hasSize(5);
      assertThatThrownBy(() -> write(generator, new int[7], adapter))
          .isInstanceOfSatisfying(
              EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TOO_LONG))
          .hasMessageContaining("7 tokens after the adapter's 5 virtual ones");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lora-patterns",
        "lora-embedding",
        "lora-bias-all",
        "lora-tied-saved",
        "dora",
        "ia3",
        "vera",
        "vera-drawn",
        "prompt-tuning",
        "p-tuning",
        "prefix-tuning"
      })
  void whatIsWrittenIsWhatWasRead(String name) throws IOException {
    Path copy = folder.resolve("copy");
    ObjectNode config = AdapterFiles.open(path(name)).config();
    config.putObject("setting_of_a_later_version").putArray("values").add(1);
    Files.createDirectories(copy);
    Files.copy(path(name).resolve(AdapterFiles.WEIGHTS), copy.resolve(AdapterFiles.WEIGHTS));
    Files.write(copy.resolve(AdapterFiles.CONFIG), JsonFiles.pretty(config));
    Path again = folder.resolve("again");
    try (LanguageModel model = model(name);
        LoadedAdapter adapter = model.loadAdapter(copy)) {
      Files.createDirectories(again);
      AdapterFiles.write(again, adapter.adapter().config(), adapter.adapter().tensors());
    }

    assertThat(JsonFiles.readObject(again.resolve(AdapterFiles.CONFIG), 1 << 20)).isEqualTo(config);
    try (SafeTensors before = SafeTensors.open(copy.resolve(AdapterFiles.WEIGHTS));
        SafeTensors after = SafeTensors.open(again.resolve(AdapterFiles.WEIGHTS))) {
      assertThat(after.names()).containsExactlyInAnyOrderElementsOf(before.names());
      for (String tensor : before.names()) {
        assertThat(after.info(tensor).shape()).isEqualTo(before.info(tensor).shape());
        assertThat(after.data(tensor)).as(tensor).isEqualTo(before.data(tensor));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora-bias-all", "dora-embedding", "ia3-bias", "vera-drawn"})
  void aMergedFolderIsAModelWithTheSameLogits(String name) throws IOException {
    Path out = folder.resolve("merged");
    JsonNode expected = expected(name);
    try (LanguageModel base = model(name)) {
      base.merge(path(name), out);
      assertThatThrownBy(() -> base.merge(path(name), out)).hasMessageContaining("exists already");
    }
    try (LanguageModel merged = LanguageModel.load(out, LoadOptions.defaults())) {
      assertThat(merged.tokenizer().encode("No.", true)).isNotEmpty();
      assertAgree(
          merged.logits(Golden.sequences(expected), null, false), name, "merged_logits", 380);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"BF16", "F16"})
  void aMergedFolderKeepsTheTypesOfItsBase(TensorType type) throws IOException {
    Path half = folder.resolve("half");
    Path out = folder.resolve("merged");
    copyAs(type, Golden.path("models/llama"), half);
    try (LanguageModel base = LanguageModel.load(half, LoadOptions.defaults());
        LoadedAdapter adapter = base.loadAdapter(path("lora"))) {
      base.merge(path("lora"), out);
      List<int[]> sequences = Golden.sequences(Golden.json("adapters/lora/expected.json"));
      List<float[]> expected = base.logits(sequences, adapter, true);
      try (LanguageModel merged = LanguageModel.load(out, LoadOptions.defaults());
          TensorReader stored = HubLayout.of(out).openWeights();
          TensorReader before = HubLayout.of(half).openWeights()) {
        for (String name : stored.names()) {
          assertThat(stored.info(name).type()).isEqualTo(type);
          boolean changes = name.contains("q_proj") || name.contains("v_proj");
          assertThat(stored.data(name).equals(before.data(name))).as(name).isNotEqualTo(changes);
        }
        List<float[]> found = merged.logits(sequences, null, false);
        for (int row = 0; row < expected.size(); row++) {
          assertThat(found.get(row)).containsExactly(expected.get(row), within(0.05f));
        }
      }
    }
  }

  private static void copyAs(TensorType type, Path from, Path to) throws IOException {
    Files.createDirectories(to);
    for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
      Files.copy(from.resolve(file), to.resolve(file));
    }
    try (TensorReader weights = HubLayout.of(from).openWeights();
        NDManager scope = Torch.scope("test")) {
      List<TensorData> tensors = new ArrayList<>();
      for (String name : weights.names()) {
        NDArray array = TensorArrays.readFloat(weights, name, scope);
        tensors.add(TensorArrays.write(name, array, type));
      }
      SafeTensorsWriter.write(to.resolve("model.safetensors"), tensors, SafeTensorsWriter.PYTORCH);
    }
  }

  private static void assertUnmerged(LanguageModel model, Adapter adapter) {
    try (NDManager scope = Torch.scope("test")) {
      Map<String, NDArray> merged = adapter.merged(model.weights()::get, scope);
      Map<String, NDArray> back =
          adapter.unmerged(
              name -> merged.containsKey(name) ? merged.get(name) : model.weights().get(name),
              scope);
      assertThat(back).isNotEmpty();
      back.forEach(
          (name, array) ->
              assertThat(array.toFloatArray())
                  .as(name)
                  .containsExactly(model.weights().get(name).toFloatArray(), within(1e-5f)));
    }
  }

  private static void assertLogits(
      String name, String tensor, LanguageModel model, LoadedAdapter adapter, boolean merged)
      throws IOException {
    List<int[]> sequences = Golden.sequences(expected(name));
    assertAgree(
        model.promptedLogits(sequences, adapter, merged), name, tensor, model.config().vocabSize());
  }

  private static void assertAgree(
      List<float[]> logits, String name, String tensor, int vocabulary) {
    float[] expected = Golden.tensor(path(name).resolve("expected.safetensors"), tensor);
    int width = expected.length / logits.size();
    for (int row = 0; row < logits.size(); row++) {
      float[] found = logits.get(row);
      assertThat(found.length % vocabulary).isZero();
      assertThat(found)
          .as("%s, %s of row %d", name, tensor, row)
          .containsExactly(
              Arrays.copyOfRange(expected, row * width, row * width + found.length), within(1e-4f));
    }
  }

  private static Path path(String name) {
    return Golden.path(Golden.folder("adapters", name));
  }

  private static JsonNode expected(String name) throws IOException {
    return Golden.json(path(name).resolve("expected.json"));
  }

  private static LanguageModel model(String adapter) throws IOException {
    String base = expected(adapter).get("base").asText();
    return LanguageModel.load(Golden.path(base), LoadOptions.defaults());
  }

  private static CompletableFuture<int[]> write(
      TextGenerator generator, int[] prompt, LoadedAdapter adapter) {
    return WrittenText.greedy(generator, prompt, adapter, 10);
  }
}
