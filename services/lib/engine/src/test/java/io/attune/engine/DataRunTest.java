package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole runs on the tiny model, from files in the forms that people have. */
class DataRunTest {
  @TempDir Path folder;

  private final List<String> notices = new ArrayList<>();
  private final List<Double> losses = new ArrayList<>();

  private final ProgressListener listener =
      new ProgressListener() {
        @Override
        public void onStep(int step, int total, Map<String, Double> metrics) {
          losses.add(metrics.get("loss"));
        }

        @Override
        public void onNotice(String message) {
          notices.add(message);
        }
      };

  private TrainingSpec spec(String objective, Path data, String out, Map<String, String> more) {
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", "2");
    parameters.put("max_steps", "12");
    parameters.put("learning_rate", "1e-2");
    parameters.put("max_length", "256");
    parameters.putAll(more);
    return new TrainingSpec(
        Golden.path("models/llama"),
        data,
        folder.resolve(out),
        objective,
        "lora",
        null,
        data,
        null,
        parameters);
  }

  private static Path form(String name) {
    return Golden.path("forms/" + name);
  }

  @ParameterizedTest
  @CsvSource({
    "sft, alpaca_en_demo.json",
    "sft, alpaca_zh_demo.json",
    "sft, kto_en_demo.json",
    "sft, c4_demo.jsonl",
    "cpt, c4_demo.jsonl",
    "cpt, wiki_demo.txt",
    "dpo, dpo_en_demo.json",
    "dpo, dpo_zh_demo.json",
    "orpo, dpo_en_demo.json",
    "simpo, dpo_en_demo.json",
    "kto, dpo_zh_demo.json",
    "kto, kto_en_demo.json",
    "reward, dpo_en_demo.json"
  })
  void everyFormTrains(String objective, String name) {
    Map<String, String> more = Map.of("max_length", "1024", "shuffle", "false");
    TrainingRun.run(spec(objective, form(name), "out", more), listener, CancelSignal.NEVER);
    assertThat(losses.get(losses.size() - 1)).isLessThan(losses.get(0));
    assertThat(
            notices.stream().anyMatch(n -> n.contains("left out 1 rows whose answer was judged")))
        .isEqualTo(name.startsWith("kto") && objective.equals("sft"));
  }

  @Test
  void aFolderOfTextTrainsAndLeavesNoTokensBehind() throws IOException {
    Path texts = Files.createDirectories(folder.resolve("texts"));
    Files.copy(form("wiki_demo.txt"), texts.resolve("wiki.txt"));
    Files.copy(form("c4_demo.jsonl"), texts.resolve("c4.jsonl"));
    Map<String, String> more = Map.of("max_length", "64");
    TrainingSpec spec = spec("cpt", texts, "out", more);
    TrainingRun.run(spec, listener, CancelSignal.NEVER);
    assertThat(losses.get(11)).isLessThan(losses.get(0));
    assertThat(spec.out().resolve("train.tokens")).doesNotExist();
    assertThat(spec.out().resolve("eval.tokens")).doesNotExist();

    // Another text is another run.
    Files.writeString(texts.resolve("wiki.txt"), "changed");
    assertThatThrownBy(() -> TrainingRun.run(spec, listener, CancelSignal.NEVER))
        .isInstanceOf(EngineException.class);
  }

  @Test
  void whatIsCutIsSaid() {
    Map<String, String> more = Map.of("packing", "false", "max_length", "32", "max_steps", "1");
    TrainingRun.run(spec("cpt", form("c4_demo.jsonl"), "a", more), listener, CancelSignal.NEVER);
    assertThat(notices).anyMatch(n -> n.contains("2 documents are longer than max_length 32"));
    notices.clear();
    TrainingRun.run(
        spec("sft", form("c4_demo.jsonl"), "b", Map.of("max_length", "32", "max_steps", "1")),
        listener,
        CancelSignal.NEVER);
    assertThat(notices).anyMatch(n -> n.contains("2 rows fill max_length 32"));
  }

  @ParameterizedTest
  @CsvSource({
    "sft, packing, true, completions",
    "cpt, packing_strategy, bfd, texts",
    "cpt, packing_strategy, bfd_split, texts",
    "dpo, train_sampling_strategy, group_by_length, pairs",
    "dpo, group_by_length, true, pairs",
    "kto, desirable_weight, 1.3, pairs"
  })
  void anInterruptedRunEndsWithTheSameBytes(
      String objective, String setting, String value, String rows) throws IOException {
    Path data = rows(rows);
    Map<String, String> more =
        Map.of(
            setting,
            value,
            "max_length",
            "64",
            "save_steps",
            "2",
            "lora_dropout",
            "0.1",
            "disable_dropout",
            "false");
    TrainingSpec whole = spec(objective, data, "whole", more);
    TrainingRun.run(whole, listener, CancelSignal.NEVER);
    TrainingSpec cut = spec(objective, data, "cut", more);
    losses.clear();
    assertThatThrownBy(() -> TrainingRun.run(cut, listener, () -> losses.size() == 5))
        .hasMessageContaining("cancelled");
    TrainingRun.run(cut, listener, CancelSignal.NEVER);
    assertThat(cut.out().resolve("adapter_model.safetensors"))
        .hasSameBinaryContentAs(whole.out().resolve("adapter_model.safetensors"));
  }

  private Path rows(String kind) throws IOException {
    List<String> lines = new ArrayList<>();
    for (JsonNode row : Golden.json("preferences.json")) {
      var line = new ObjectMapper().createObjectNode();
      String prompt = row.get("prompt").asText() + "\n";
      switch (kind) {
        case "texts" -> line.put("text", prompt + row.get("chosen").asText());
        case "completions" ->
            line.put("prompt", prompt).put("completion", row.get("chosen").asText());
        default -> {
          line.put("prompt", prompt).put("chosen", row.get("chosen").asText());
          line.put("rejected", row.get("rejected").asText());
        }
      }
      lines.add(line.toString());
    }
    return Files.write(folder.resolve(kind + ".jsonl"), lines);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "dpo | packing | true | group_by_length",
        "dpo | loss_type | sigmoyd | sigmoid_norm",
        "dpo | loss_type | exo_pair | 'label_smoothing' is 0.0",
        "dpo | loss_weights | 1,2 | 'loss_type' 1 names",
        "dpo | label_smoothing | 0.1 | (cdpo is sigmoid with it)",
        "dpo | beta | 0 | positive",
        "dpo | f_divergence_type | kl | forward_kl",
        "dpo | simpo_gamma | 1 | objective dpo",
        "orpo | beta | -1 | positive",
        "orpo | label_smoothing | 0.1 | orpo",
        "orpo | loss_type | sigmoid | objective orpo",
        "simpo | simpo_gamma | -1 | not be < 0",
        "simpo | cpo_alpha | much | a number",
        "kto | loss_type | bco | apo_zero_unpaired",
        "kto | per_device_train_batch_size | 1 | at least 2 rows",
        "kto | undesirable_weight | -1 | not be < 0",
        "kto | undesirable_weight | NaN | not be < 0",
        "sft | beta | 0.1 | objective sft",
        "sft | packing_strategy | wrapped | bfd",
        "cpt | packing_strategy | best | bfd_split",
        "sft | truncation_mode | middle | keep_end",
        "cpt | sample_by | word | paragraph",
        "sft | train_sampling_strategy | longest | sequential",
        "sft | columns | {\"answer\": \"a\"} | 'answer'",
        "sft | prompt_template | {% if %} | 'prompt_template'",
      })
  void wrongSettingsAreRefusedByName(String objective, String name, String value, String says) {
    Map<String, String> more =
        name.equals("packing_strategy")
            ? Map.of(name, value, "packing", "true")
            : Map.of(name, value);
    assertThatThrownBy(
            () ->
                TrainingRun.run(
                    spec(objective, form("c4_demo.jsonl"), "x", more),
                    listener,
                    CancelSignal.NEVER))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(name)
        .hasMessageContaining(says);
  }

  @Test
  void judgedRowsDoNotServePairs() {
    assertThatThrownBy(
            () ->
                TrainingRun.run(
                    spec("dpo", form("kto_en_demo.json"), "x", Map.of()),
                    listener,
                    CancelSignal.NEVER))
        .hasMessageContaining("row 1")
        .hasMessageContaining("Judged");
  }
}
