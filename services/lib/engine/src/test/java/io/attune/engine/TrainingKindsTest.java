package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Encoders and encoder-decoders are trained as transformers' Trainer and peft train them: {@code
 * golden/kinds/make_kinds.py} made the runs.
 */
class TrainingKindsTest {
  @TempDir Path folder;

  private TrainingSpec spec(
      String model,
      Path rows,
      String objective,
      String method,
      @Nullable Path init,
      Map<String, String> parameters) {
    Path out = folder.resolve("out-" + parameters.hashCode() + "-" + method);
    return new TrainingSpec(
        Golden.path("models/" + model), rows, out, objective, method, init, null, null, parameters);
  }

  private TrainingSpec spec(String run, String objective, Map<String, String> more)
      throws IOException {
    JsonNode settings = Golden.json("kinds/" + run + "/run.json");
    Map<String, String> parameters = new HashMap<>();
    settings
        .get("args")
        .properties()
        .forEach(entry -> parameters.put(entry.getKey(), entry.getValue().asText()));
    parameters.putAll(Map.of("shuffle", "false", "save_steps", "0", "disable_dropout", "true"));
    parameters.putAll(more);
    boolean lora = run.endsWith("-lora");
    return spec(
        settings.get("model").asText(),
        Golden.path("kinds/" + run + "/rows.jsonl"),
        objective,
        lora ? "lora" : "full",
        lora ? Golden.path("kinds/" + run + "/init") : null,
        parameters);
  }

  /** The loss of each of ten steps, and what is trained in the end where the run keeps it. */
  @ParameterizedTest
  @CsvSource({
    "bert-full, classify",
    "bert-lora, classify",
    "bert-multilabel, classify",
    "bert-regression, classify",
    "roberta-full, classify",
    "distilbert-full, classify",
    "bert-tokens, classify",
    "roberta-tokens, classify",
    "t5-full, sft",
    "t5-lora, sft",
    "t5-smoothed, sft",
    "bart-full, sft"
  })
  void tenStepsAreThoseOfTheReference(String run, String objective) throws IOException {
    TrainingSpec spec = spec(run, objective, Map.of());
    WholeRuns.run(spec);

    List<Double> expected = new ArrayList<>();
    Golden.json("kinds/" + run + "/run.json")
        .get("losses")
        .forEach(l -> expected.add(l.asDouble()));
    List<Double> losses =
        WholeRuns.metrics(spec).stream().map(line -> line.get("loss").asDouble()).toList();
    assertThat(losses).hasSameSizeAs(expected);
    for (int i = 0; i < losses.size(); i++) {
      assertThat(losses.get(i)).as("step %d", i + 1).isCloseTo(expected.get(i), within(1e-4));
    }
    Path reference = Golden.path("kinds/" + run);
    if (Files.exists(reference.resolve("final"))) {
      Golden.assertTensors(
          WholeRuns.adapter(spec), reference.resolve("final/adapter_model.safetensors"));
    } else if (Files.exists(reference.resolve("difference.safetensors"))) {
      assertWeights(spec, reference.resolve("difference.safetensors"));
    }
  }

  private static void assertWeights(TrainingSpec spec, Path difference) {
    double moved = 0;
    try (SafeTensors reference = SafeTensors.open(difference);
        NDManager scope = Torch.scope("test")) {
      for (String name : reference.names()) {
        float[] start = Golden.tensor(spec.model().resolve("model.safetensors"), name);
        float[] change = TensorArrays.readFloat(reference, name, scope).toFloatArray();
        float[] trained = Golden.tensor(spec.out().resolve("model.safetensors"), name);
        for (int i = 0; i < start.length; i++) {
          moved = Math.max(moved, Math.abs(change[i]));
          // A bias of keys adds the same to all products of a query, which softmax does not see:
          // its
          // gradient is rounding alone, and AdamW makes whole steps of it.
          float tolerance = name.matches(".*(k_proj|key)\\.bias") ? 2e-2f : 1e-4f;
          assertThat(trained[i]).as(name).isCloseTo(start[i] + change[i], within(tolerance));
        }
      }
    }
    assertThat(moved).isGreaterThan(1e-3);
  }

  /** Dropout draws from the seed; a run that was cut off ends with the same bytes. */
  @ParameterizedTest
  @CsvSource({"bert-full, classify", "t5-lora, sft", "bart-full, sft", "bert-tokens, classify"})
  void dropoutFollowsTheSeedAndARunIsResumed(String run, String objective) throws IOException {
    Map<String, String> more =
        Map.of("disable_dropout", "false", "save_steps", "2", "max_steps", "5", "seed", "3");
    TrainingSpec whole = spec(run, objective, more);
    WholeRuns.run(whole);

    TrainingSpec cut = moved(whole, "cut");
    WholeRuns.cutAfter(3, cut);
    WholeRuns.run(cut);
    String file = whole.method().equals("full") ? "model.safetensors" : "adapter_model.safetensors";
    assertThat(cut.out().resolve(file)).hasSameBinaryContentAs(whole.out().resolve(file));

    Map<String, String> other = new HashMap<>(more);
    other.put("seed", "4");
    TrainingSpec seeded = spec(run, objective, other);
    WholeRuns.run(seeded);
    double first = WholeRuns.metrics(whole).get(0).get("loss").asDouble();
    assertThat(WholeRuns.metrics(seeded).get(0).get("loss").asDouble()).isNotEqualTo(first);
  }

  private TrainingSpec moved(TrainingSpec spec, String out) {
    return new TrainingSpec(
        spec.model(),
        spec.data(),
        folder.resolve(out),
        spec.objective(),
        spec.method(),
        spec.initAdapter(),
        spec.evalData(),
        null,
        spec.parameters());
  }

  /** An encoder without a head gets one for the labels of the rows, and says so in its files. */
  @ParameterizedTest
  @CsvSource({
    "bert-model, full",
    "bert-model, lora",
    "distilbert-model, lora",
    "roberta-model, ia3",
    "bert-model, bottleneck"
  })
  void aNewHeadIsTrainedSavedAndReadAgain(String base, String method) throws IOException {
    Path rows =
        Files.write(
            folder.resolve("rows.jsonl"),
            List.of(
                "{\"text\": \"thanks, it is good\", \"label\": \"positive\"}",
                "{\"text\": \"bad and broken\", \"label\": \"negative\"}",
                "{\"text\": \"it is\", \"text_pair\": \"an order\", \"label\": \"neutral\"}"));
    Map<String, String> parameters =
        Map.of(
            "max_steps", "60",
            "learning_rate", method.equals("full") ? "3e-3" : "3e-2",
            "disable_dropout", "true",
            "save_steps", "0");
    TrainingSpec plain = spec(base, rows, "classify", method, null, parameters);
    TrainingSpec spec =
        new TrainingSpec(
            plain.model(), rows, plain.out(), "classify", method, null, rows, null, parameters);
    TrainingResult result = WholeRuns.run(spec);
    assertThat(WholeRuns.metrics(spec).get(0).get("loss").asDouble())
        .isCloseTo(Math.log(3), within(0.1));
    assertThat(result.evaluation().get("candidate").get("loss")).isLessThan(0.3);
    assertThat(result.evaluation().get("candidate").get("accuracy")).isEqualTo(1);

    boolean full = method.equals("full");
    try (TextEncoder encoder =
            TextEncoder.load(full ? spec.out() : spec.model(), LoadOptions.defaults());
        LoadedEncoderAdapter adapter = full ? null : encoder.loadAdapter(spec.out())) {
      assertThat((full ? encoder.labels() : adapter.labels()).names())
          .containsExactly("negative", "neutral", "positive");
      List<float[]> logits =
          encoder.logits(
              List.of(encoder.tokenize("bad and broken"), encoder.tokenize("it is", "an order")),
              adapter,
              false);
      assertThat(best(logits.get(0))).isEqualTo(0);
      assertThat(best(logits.get(1))).isEqualTo(1);
    }
    if (full) {
      JsonNode config = Golden.json(spec.out().resolve("config.json"));
      assertThat(config.get("architectures").get(0).asText())
          .isEqualTo("BertForSequenceClassification");
      assertThat(config.get("problem_type").asText()).isEqualTo("single_label_classification");
      assertThat(config.get("label2id").get("positive").asInt()).isEqualTo(2);
    } else {
      JsonNode config = Golden.json(spec.out().resolve("adapter_config.json"));
      assertThat(config.get("task_type").asText()).isEqualTo("SEQ_CLS");
      assertThat(config.get("modules_to_save").get(0).asText()).isEqualTo("classifier");
    }
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  /** A decoder-only model classifies at a text's last token, by a head that the adapter brings. */
  @Test
  void aDecoderLearnsToClassify() throws IOException {
    Path rows =
        Files.write(
            folder.resolve("rows.jsonl"),
            List.of(
                "{\"text\": \"Thanks, it works\", \"label\": \"good\"}",
                "{\"text\": \"It is broken\", \"label\": \"bad\"}",
                "{\"text\": \"Where is it?\", \"label\": \"question\"}"));
    Map<String, String> parameters =
        Map.of("max_steps", "40", "learning_rate", "1e-2", "save_steps", "0");
    TrainingSpec spec = spec("llama", rows, "classify", "lora", null, parameters);
    TrainingResult result = WholeRuns.run(spec);
    assertThat(WholeRuns.metrics(spec).get(0).get("loss").asDouble())
        .isCloseTo(Math.log(3), within(1e-6));
    assertThat(result.metrics().get("loss")).isLessThan(0.3);
    try (SafeTensors adapter = SafeTensors.open(spec.out().resolve("adapter_model.safetensors"))) {
      assertThat(adapter.info("base_model.model.score.weight").shape()[0]).isEqualTo(3);
    }
  }

  /** From random weights to a folder that loads and writes. */
  @ParameterizedTest
  @CsvSource({"t5-relu", "bart-scaled"})
  void anEncoderDecoderIsTrainedFromNothing(String base) throws IOException {
    Path rows = Golden.path("kinds/t5-full/rows.jsonl");
    Map<String, String> parameters =
        Map.of(
            "init_weights", "random",
            "max_steps", "40",
            "learning_rate", "1e-2",
            "disable_dropout", "true",
            "save_steps", "0");
    TrainingSpec spec = spec(base, rows, "sft", "full", null, parameters);
    TrainingResult result = WholeRuns.run(spec);
    double first = WholeRuns.metrics(spec).get(0).get("loss").asDouble();
    assertThat(result.metrics().get("loss")).isLessThan(first / 2);
    try (SequenceToSequence model = SequenceToSequence.load(spec.out(), LoadOptions.defaults())) {
      assertThat(model.logits(List.of(new int[] {5}), List.of(new int[] {0}), null, false))
          .hasSize(1);
    }
  }

  /** Each wrong combination says what there is instead. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bert-classifier | sft      | full          | {\"text\": \"a\"}"
            + " | objective 'sft' is not implemented for a text encoder",
        "t5-relu         | classify | lora          | {\"text\": \"a\", \"label\": 0}"
            + " | objective 'classify' is not implemented for an encoder-decoder model",
        "t5-relu         | sft      | lora          | {\"text\": \"a\"}"
            + " | it needs {prompt, completion}",
        "t5-relu         | sft      | lora          | {\"instruction\": \"a\", \"output\": \"b\","
            + " \"system\": \"c\"} | no place for 'system' and 'history'",
        "t5-relu         | cpt      | lora          | {\"text\": \"a\"}"
            + " | objective 'cpt' is not implemented for an encoder-decoder model",
        "bert-classifier | cpt      | full          | {\"text\": \"a\"}"
            + " | objective 'cpt' is not implemented for a text encoder",
        "t5-relu         | sft      | lora          | {\"prompt\": \"a\", \"completion\": \"b\","
            + " \"label\": false} | no row has anything to learn",
        "t5-relu         | sft      | prompt-tuning | {\"prompt\": \"a\", \"completion\": \"b\"}"
            + " | method prompt-tuning is not implemented for an encoder-decoder model",
        "llama           | classify | full          | {\"text\": \"a\", \"label\": 0}"
            + " | trains no classifier on a decoder-only model",
        "bert-classifier | classify | full          | {\"tokens\": [\"a\"], \"labels\": [0]}"
            + " | classifies texts: it needs rows {text, label}",
        "bert-tokens     | classify | full          | {\"text\": \"a\", \"label\": 0}"
            + " | classifies tokens: it needs rows {tokens, labels}",
        "bert-classifier | classify | full          | {\"text\": \"a\", \"label\": 3}"
            + " | row 1: has the label 3, which is none of the model's: LABEL_0, LABEL_1, LABEL_2",
        "bert-classifier | classify | full          | {\"text\": \"a\", \"label\": \"x\"}"
            + " | has the label 'x', which is none",
        "bert-regression | classify | full          | {\"text\": \"a\", \"label\": \"x\"}"
            + " | regression needs numbers",
        "bert-model      | classify | full          | {\"text\": \"a\", \"label\": \"x\"}"
            + " | there is nothing to tell apart",
        "bert-tokens     | classify | full          | {\"tokens\": [\"a\"], \"labels\": []}"
            + " | as 'labels'; a list that is not empty belongs there"
      })
  void whatDoesNotFitIsRefused(
      String model, String objective, String method, String row, String message)
      throws IOException {
    Path rows = Files.writeString(folder.resolve("rows.jsonl"), row + "\n");
    TrainingSpec spec = spec(model, rows, objective, method, null, Map.of("max_steps", "1"));
    assertThatThrownBy(() -> WholeRuns.run(spec))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(message);
  }

  /** Settings of rows that only decoder-only models read are no settings of the others. */
  @ParameterizedTest
  @CsvSource({
    "t5-relu, sft, packing, true, group_by_length",
    "t5-relu, sft, truncation_mode, keep_end, unknown parameter",
    "bert-classifier, classify, packing, true, group_by_length",
    "bert-classifier, classify, mask_history, true, unknown parameter"
  })
  void settingsOfOtherModelsAreRefused(
      String model, String objective, String setting, String value, String message)
      throws IOException {
    String row =
        objective.equals("sft")
            ? "{\"prompt\": \"a\", \"completion\": \"b\"}"
            : "{\"text\": \"a\", \"label\": 0}";
    Path rows = Files.writeString(folder.resolve("rows.jsonl"), row + "\n");
    TrainingSpec spec = spec(model, rows, objective, "lora", null, Map.of(setting, value));
    assertThatThrownBy(() -> WholeRuns.run(spec))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(message);
  }

  /** Before any row is read: there is no file of them. */
  @ParameterizedTest
  @CsvSource({
    "bert-model, classify",
    "bert-tokens, classify",
    "t5-relu, sft",
    "llama, classify",
    "llama, cpt"
  })
  void anUnknownSettingIsRefusedBeforeRowsAreRead(String model, String objective) {
    Path rows = folder.resolve("none.jsonl");
    TrainingSpec spec = spec(model, rows, objective, "lora", null, Map.of("nonsense", "1"));
    assertThatThrownBy(() -> WholeRuns.run(spec))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("unknown parameter 'nonsense'");
  }
}
