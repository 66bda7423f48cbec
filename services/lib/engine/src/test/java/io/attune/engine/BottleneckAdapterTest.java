package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.generate.BeamSearchParameters;
import io.attune.engine.token.TokenizedText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Bottleneck adapters of each kind of model, trained and served, against {@code
 * golden/bottleneck/make_bottleneck.py}, whose logits are AdapterHub's too ({@code
 * check_adapterhub.py}).
 */
class BottleneckAdapterTest {
  @TempDir Path folder;

  private static Path path(String name) {
    return Golden.path("bottleneck/" + name);
  }

  private static JsonNode expected(String name) throws IOException {
    return Golden.json(path(name).resolve("expected.json"));
  }

  private static Path base(String name) throws IOException {
    return Golden.path(expected(name).get("base").asText());
  }

  private static List<int[]> rows(JsonNode expected, String key) {
    List<int[]> rows = new ArrayList<>();
    expected.get(key).forEach(row -> rows.add(Golden.ints(row)));
    return rows;
  }

  private static void assertLogits(String name, List<float[]> logits) {
    for (int row = 0; row < logits.size(); row++) {
      Path file = path(name).resolve("expected.safetensors");
      assertThat(logits.get(row))
          .as("row %d", row)
          .containsExactly(Golden.tensor(file, "logits." + row), within(1e-4f));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-houlsby", "llama-pfeiffer", "llama-parallel", "gpt2-channel"})
  void aDecoderComputesAndWritesWhatTheReferenceDoes(String name) throws IOException {
    JsonNode expected = expected(name);
    List<int[]> prompts = rows(expected, "input_ids");
    try (LanguageModel model = LanguageModel.load(base(name), LoadOptions.defaults());
        LoadedAdapter adapter = model.loadAdapter(path(name));
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(4, 48))) {
      assertLogits(name, model.logits(prompts, adapter, false));
      List<int[]> greedy = rows(expected, "greedy");
      List<CompletableFuture<int[]>> plain = new ArrayList<>();
      List<CompletableFuture<int[]>> adapted = new ArrayList<>();
      for (int row = 0; row < prompts.size(); row++) {
        plain.add(WrittenText.greedy(generator, prompts.get(row), null, 8));
        adapted.add(
            WrittenText.greedy(generator, prompts.get(row), adapter, greedy.get(row).length));
      }
      for (int row = 0; row < prompts.size(); row++) {
        assertThat(adapted.get(row).join())
            .isEqualTo(greedy.get(row))
            .isNotEqualTo(plain.get(row).join());
      }
    }
  }

  @Test
  void anAdapterRunsBesideBfloat16Weights() throws IOException {
    LoadOptions options = new LoadOptions(0, false, TensorType.BF16);
    List<int[]> prompts = rows(expected("llama-houlsby"), "input_ids");
    try (LanguageModel model = LanguageModel.load(base("llama-houlsby"), options);
        LoadedAdapter adapter = model.loadAdapter(path("llama-houlsby"))) {
      List<float[]> logits = model.logits(prompts, adapter, false);
      double sum = 0;
      long count = 0;
      for (int row = 0; row < logits.size(); row++) {
        Path file = path("llama-houlsby").resolve("expected.safetensors");
        float[] exact = Golden.tensor(file, "logits." + row);
        for (int i = 0; i < exact.length; i++) {
          sum += Math.abs(logits.get(row)[i] - exact[i]);
        }
        count += exact.length;
      }
      assertThat(sum / count).isBetween(1e-4, 0.01);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert-houlsby", "bert-pfeiffer", "bert-parallel"})
  void anEncoderComputesWhatTheReferenceDoes(String name) throws IOException {
    List<TokenizedText> texts = new ArrayList<>();
    try (TextEncoder model = TextEncoder.load(base(name), LoadOptions.defaults());
        LoadedEncoderAdapter adapter = model.loadAdapter(path(name))) {
      for (String line :
          Files.readAllLines(Golden.path("kinds/bert-full/rows.jsonl")).subList(0, 2)) {
        texts.add(model.tokenize(new ObjectMapper().readTree(line).get("text").asText()));
      }
      assertThat(texts.stream().map(TokenizedText::ids))
          .containsExactlyElementsOf(rows(expected(name), "input_ids"));
      assertLogits(name, model.logits(texts, adapter, false));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"t5-houlsby", "bart-pfeiffer", "bart-learned"})
  void anEncoderDecoderComputesAndWritesWhatTheReferenceDoes(String name) throws IOException {
    JsonNode expected = expected(name);
    List<int[]> sources = rows(expected, "input_ids");
    try (SequenceToSequence model = SequenceToSequence.load(base(name), LoadOptions.defaults());
        LoadedSequenceAdapter adapter = model.loadAdapter(path(name))) {
      List<int[]> targets = rows(expected, "labels").stream().map(model::decoderInputs).toList();
      assertLogits(name, model.logits(sources, targets, adapter, false));
      for (int row = 0; row < sources.size(); row++) {
        int[] written =
            model
                .search(
                    sources.subList(row, row + 1),
                    adapter,
                    BeamSearchParameters.of(1),
                    model.constraints(8))
                .get(0)
                .get(0)
                .tokens();
        assertThat(written).isEqualTo(Golden.ints(expected.get("greedy").get(row)));
      }
    }
  }

  /** Losses of ten steps, and the weights in the end. */
  @ParameterizedTest
  @CsvSource({
    "bert-houlsby, classify",
    "bert-pfeiffer, classify",
    "bert-parallel, classify",
    "t5-houlsby, sft",
    "bart-pfeiffer, sft",
    "bart-learned, sft"
  })
  void tenStepsAreThoseOfTheReference(String name, String objective) throws IOException {
    JsonNode run = Golden.json(path(name).resolve("run.json"));
    String rows = objective.equals("sft") ? "t5-full" : "bert-full";
    Map<String, String> parameters =
        Map.of(
            "per_device_train_batch_size", "4",
            "max_steps", "10",
            "learning_rate", run.get("learning_rate").asText(),
            "warmup_steps", "1",
            "lr_scheduler_type", "linear",
            "weight_decay", "0.01",
            "shuffle", "false",
            "save_steps", "0",
            "disable_dropout", "true");
    Path out = folder.resolve("out");
    TrainingRun.run(
        new TrainingSpec(
            base(name),
            Golden.path("kinds/" + rows + "/rows.jsonl"),
            out,
            objective,
            "bottleneck",
            path(name),
            null,
            null,
            parameters),
        ProgressListener.NONE,
        CancelSignal.NEVER);

    List<String> lines = Files.readAllLines(out.resolve("metrics.jsonl"));
    assertThat(lines).hasSize(10);
    for (int step = 0; step < 10; step++) {
      JsonNode found = new ObjectMapper().readTree(lines.get(step));
      JsonNode reference = run.get("steps").get(step);
      assertThat(found.get("loss").asDouble())
          .as("loss of step %d", step + 1)
          .isCloseTo(reference.get("loss").asDouble(), within(1e-4));
    }
    Golden.assertTensors(
        out.resolve(AdapterFiles.WEIGHTS), path(name).resolve("final.safetensors"));
  }

  @Test
  void nothingCanBeMerged() throws IOException {
    Path out = folder.resolve("merged");
    try (LanguageModel model = LanguageModel.load(base("llama-houlsby"), LoadOptions.defaults());
        LoadedAdapter adapter = model.loadAdapter(path("llama-houlsby"))) {
      assertThatThrownBy(() -> model.merge(path("llama-houlsby"), out))
          .isInstanceOfSatisfying(
              EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNSUPPORTED))
          .hasMessageContaining("BOTTLENECK cannot be merged")
          .hasMessageContaining("--adapter");
      assertThatThrownBy(() -> model.logits(List.of(new int[] {5}), adapter, true))
          .hasMessageContaining("cannot be merged");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource({"llama-houlsby, gpt2", "llama-houlsby, llama-bias", "t5-houlsby, llama"})
  void anAdapterOfAnotherModelIsRefused(String name, String model) {
    assertThatThrownBy(
            () -> {
              try (LanguageModel other =
                  LanguageModel.load(Golden.path("models/" + model), LoadOptions.defaults())) {
                other.loadAdapter(path(name)).close();
              }
            })
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(path(name).toString());
  }
}
