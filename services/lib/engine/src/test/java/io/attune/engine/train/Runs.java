package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.adapter.BaseModel;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.data.PreferencePair;
import io.attune.engine.data.SftExample;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Models;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Sft;
import io.attune.engine.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Percentage;

/** What the golden training runs are made of. */
final class Runs {
  private Runs() {}

  static final String MODEL = "models/llama";

  static DecoderModel architecture() {
    return architecture(MODEL);
  }

  static DecoderModel architecture(String model) {
    Path folder = Golden.path(model);
    return (DecoderModel) Models.architecture(HubLayout.of(folder).config(), folder.toString());
  }

  static Weights weights(Architecture architecture, boolean writable) {
    return weights(architecture, MODEL, writable);
  }

  static Weights weights(Architecture architecture, String model, boolean writable) {
    try (TensorReader file = HubLayout.of(Golden.path(model)).openWeights()) {
      return Weights.read(architecture, file, writable);
    }
  }

  static BaseModel base(DecoderModel model, Weights weights) {
    return new BaseModel(
        model.linears(),
        model.embedding(),
        model.heads(),
        model.layers(),
        model.parameters(),
        Map.of(Policy.SCORE, new Shape(1, model.config().hiddenSize())),
        model.config().tieWordEmbeddings(),
        weights::get,
        weights.quantized(),
        model.sublayers());
  }

  static Adapter adapter(BaseModel base, String folder) {
    return Adapters.read(AdapterFiles.open(Golden.path(folder)), base);
  }

  static TrainingArguments arguments(JsonNode run) {
    JsonNode a = run.get("args");
    return arguments(
        a.get("max_steps").asInt(),
        a.get("learning_rate").asDouble(),
        0,
        a.get("per_device_train_batch_size").asInt(),
        a.get("gradient_accumulation_steps").asInt());
  }

  static TrainingArguments arguments(int steps, double learningRate, int saveSteps) {
    return arguments(steps, learningRate, saveSteps, 2, 2);
  }

  private static TrainingArguments arguments(
      int steps, double learningRate, int saveSteps, int batch, int accumulation) {
    return new TrainingArguments(
        learningRate,
        LearningRate.LINEAR,
        1,
        batch,
        accumulation,
        steps,
        1,
        OptimizerSettings.adamW(0.01),
        1,
        false,
        saveSteps,
        2);
  }

  /** Trains as a run of the reference did, and compares loss, norm and rate of each step. */
  static <E> List<StepMetrics> follow(
      String run, Policy policy, Objective<E> objective, List<E> rows, Path folder)
      throws IOException {
    JsonNode expected = Golden.json("runs/" + run + "/run.json");
    List<StepMetrics> steps = new ArrayList<>();
    new TrainingLoop<>(arguments(expected), policy, objective, rows)
        .run(folder, run, steps::add, notice -> {}, () -> false);
    assertThat(steps).hasSize(expected.get("steps").size());
    for (int i = 0; i < steps.size(); i++) {
      JsonNode reference = expected.get("steps").get(i);
      assertThat(steps.get(i).loss())
          .as("loss of step %d", i + 1)
          .isCloseTo(reference.get("loss").doubleValue(), within(1e-4));
      assertThat(steps.get(i).gradNorm())
          .as("norm of step %d", i + 1)
          .isCloseTo(reference.get("grad_norm").doubleValue(), Percentage.withPercentage(0.1));
      assertThat(steps.get(i).learningRate())
          .isCloseTo(reference.get("learning_rate").doubleValue(), within(1e-12));
    }
    return steps;
  }

  static void assertWeights(Map<String, NDArray> trained, Path expected, String prefix) {
    trained.forEach(
        (name, array) ->
            assertThat(array.toFloatArray())
                .as(name)
                .containsExactly(Golden.tensor(expected, prefix + name), within(1e-4f)));
  }

  static List<SftExample> sftRows(String run) throws IOException {
    List<SftExample> rows = new ArrayList<>();
    for (JsonNode row : Golden.json("runs/" + run + "/tokens.json")) {
      int[] ids = Golden.ints(row.get("input_ids"));
      boolean[] targets = new boolean[ids.length];
      for (int i = 0; i < ids.length; i++) {
        targets[i] = row.get("labels").get(i).asInt() >= 0;
      }
      rows.add(new SftExample(ids, targets));
    }
    return rows;
  }

  /** Pairs; where a run's rows hold prompt and answer together, the common part is the prompt. */
  static List<PreferencePair> pairs(String run) throws IOException {
    List<PreferencePair> rows = new ArrayList<>();
    for (JsonNode row : Golden.json("runs/" + run + "/tokens.json")) {
      int[] chosen = Golden.ints(row.get("chosen_ids"));
      int[] rejected = Golden.ints(row.get("rejected_ids"));
      if (row.has("prompt_ids")) {
        rows.add(new PreferencePair(Golden.ints(row.get("prompt_ids")), chosen, rejected));
      } else {
        int common = Arrays.mismatch(chosen, rejected);
        rows.add(
            new PreferencePair(
                Arrays.copyOf(chosen, common),
                Arrays.copyOfRange(chosen, common, chosen.length),
                Arrays.copyOfRange(rejected, common, rejected.length)));
      }
    }
    return rows;
  }

  /** Trains on the rows of sft-lora; compares each step with the reference's. */
  static void assertSteps(JsonNode run, TrainingArguments arguments, Policy policy, Path folder)
      throws IOException {
    JsonNode expected = run.get("steps");
    List<StepMetrics> steps = new ArrayList<>();
    new TrainingLoop<>(arguments, policy, new Sft(), sftRows("sft-lora"))
        .run(folder, "run", steps::add, notice -> {}, () -> false);
    assertSteps(expected, steps);
  }

  /** Compares loss, norm of the gradient and learning rate of each step with the reference's. */
  static void assertSteps(JsonNode expected, List<StepMetrics> steps) {
    assertThat(steps).hasSize(expected.size());
    for (int i = 0; i < steps.size(); i++) {
      JsonNode reference = expected.get(i);
      assertThat(steps.get(i).loss())
          .as("loss of step %d", i + 1)
          .isCloseTo(reference.get("loss").doubleValue(), within(1e-4));
      assertThat(steps.get(i).gradNorm())
          .as("norm of step %d", i + 1)
          .isCloseTo(reference.get("grad_norm").doubleValue(), Percentage.withPercentage(0.1));
      assertThat(steps.get(i).learningRate())
          .isCloseTo(reference.get("learning_rate").doubleValue(), within(1e-12));
    }
  }
}
