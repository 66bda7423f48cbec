package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.SafeTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs on the tiny model, from rows to files. */
class TrainingRunTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path pairs;
  private Path completions;
  private Path scores;

  @BeforeEach
  void writeRows() throws IOException {
    List<String> pairLines = new ArrayList<>();
    List<String> completionLines = new ArrayList<>();
    List<String> scoreLines = new ArrayList<>();
    for (JsonNode row : Golden.json("preferences.json")) {
      String prompt = row.get("prompt").asText() + "\n";
      pairLines.add(
          object(prompt)
              .put("chosen", row.get("chosen").asText())
              .put("rejected", row.get("rejected").asText())
              .toString());
      completionLines.add(object(prompt).put("completion", row.get("chosen").asText()).toString());
      scoreLines.add(
          object(prompt)
              .put("completion", row.get("chosen").asText())
              .put("score", 0.9)
              .toString());
      scoreLines.add(
          object(prompt)
              .put("completion", row.get("rejected").asText())
              .put("score", 0.1)
              .toString());
    }
    pairs = Files.write(folder.resolve("pairs.jsonl"), pairLines);
    completions = Files.write(folder.resolve("completions.jsonl"), completionLines);
    scores = Files.write(folder.resolve("scores.jsonl"), scoreLines);
  }

  private static ObjectNode object(String prompt) {
    return JSON.createObjectNode().put("prompt", prompt);
  }

  private TrainingSpec spec(String objective, Path rows, String out, Map<String, String> more) {
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", "2");
    parameters.put("max_steps", "6");
    parameters.put("learning_rate", "1e-3");
    parameters.put("r", "4");
    parameters.put("save_steps", "2");
    parameters.putAll(more);
    return new TrainingSpec(
        Golden.path("models/llama"),
        rows,
        folder.resolve(out),
        objective,
        "lora",
        null,
        rows,
        null,
        parameters);
  }

  @Test
  void anInterruptedRunEndsWithTheSameBytes() throws IOException {
    // Dropout and two epochs, so that chance and order would show.
    Map<String, String> more =
        Map.of(
            "lora_dropout", "0.1",
            "disable_dropout", "false",
            "max_steps", "10",
            "gradient_accumulation_steps", "2");
    TrainingSpec whole = spec("dpo", pairs, "whole", more);
    TrainingRun.run(whole, ProgressListener.NONE, CancelSignal.NEVER);

    // A power cut after step 5: what was done since the checkpoint after step 4 is lost.
    TrainingSpec cut = spec("dpo", pairs, "cut", more);
    List<Integer> seen = new ArrayList<>();
    ProgressListener powerCut =
        (step, total, metrics) -> {
          seen.add(step);
          if (seen.size() == 5) {
            throw new IllegalStateException("power cut");
          }
        };
    assertThatThrownBy(() -> TrainingRun.run(cut, powerCut, CancelSignal.NEVER))
        .hasMessage("power cut");
    TrainingRun.run(cut, powerCut, CancelSignal.NEVER);

    assertThat(seen).containsExactly(1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10);
    assertSame(whole, cut);

    // A cancel after step 5 loses nothing.
    TrainingSpec cancelled = spec("dpo", pairs, "cancelled", more);
    seen.clear();
    ProgressListener listener = (step, total, metrics) -> seen.add(step);
    assertThatThrownBy(() -> TrainingRun.run(cancelled, listener, () -> seen.size() == 5))
        .isInstanceOfSatisfying(
            EngineException.class,
            e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.CANCELLED));
    TrainingRun.run(cancelled, listener, CancelSignal.NEVER);

    assertThat(seen).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    assertSame(whole, cancelled);
  }

  private void assertSame(TrainingSpec whole, TrainingSpec resumed) throws IOException {
    assertThat(resumed.out().resolve("adapter_model.safetensors"))
        .hasSameBinaryContentAs(whole.out().resolve("adapter_model.safetensors"));
    assertThat(withoutClock(resumed)).isEqualTo(withoutClock(whole));
  }

  @Test
  void aDamagedCheckpointIsPassedOverAndSaid() throws IOException {
    TrainingSpec whole = spec("sft", completions, "whole", Map.of());
    TrainingRun.run(whole, ProgressListener.NONE, CancelSignal.NEVER);
    byte[] expected = Files.readAllBytes(whole.out().resolve("adapter_model.safetensors"));
    Path newest = whole.out().resolve("checkpoint-6/training_state.safetensors");
    byte[] bytes = Files.readAllBytes(newest);
    bytes[bytes.length - 1] ^= 1;
    Files.write(newest, bytes);
    Files.delete(whole.out().resolve("adapter_model.safetensors"));

    Notices notices = new Notices();
    TrainingRun.run(whole, notices, CancelSignal.NEVER);

    assertThat(notices.messages).anyMatch(m -> m.contains("checkpoint-6 is damaged"));
    assertThat(notices.messages).contains("resuming after step 4");
    assertThat(whole.out().resolve("adapter_model.safetensors")).hasBinaryContent(expected);
  }

  @Test
  void theFirstLossOfDpoIsLnTwoAndItFalls() throws IOException {
    TrainingSpec spec =
        spec("dpo", pairs, "dpo", Map.of("max_steps", "8", "learning_rate", "5e-3"));
    TrainingResult result = TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
    List<JsonNode> lines = metrics(spec);
    assertThat(lines.get(0).get("loss").asDouble()).isCloseTo(Math.log(2), within(1e-6));
    assertThat(lines.get(7).get("loss").asDouble()).isLessThan(0.6);
    assertThat(result.evaluation().get("candidate").get("rewards/accuracies")).isEqualTo(1);
  }

  @Test
  void aRewardModelFromScoresTellsGoodFromBad() {
    Map<String, String> more = Map.of("max_steps", "40", "learning_rate", "5e-3");
    TrainingSpec spec = spec("reward", scores, "reward", more);
    TrainingResult result = TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
    Map<String, Double> evaluation = result.evaluation().get("candidate");
    assertThat(evaluation.get("accuracy")).isGreaterThan(0.95);
    assertThat(evaluation.get("pearson")).isGreaterThan(0.8);
    assertThat(evaluation.get("mse")).isLessThan(0.05);
    try (LanguageModel model =
            LanguageModel.load(Golden.path("models/llama"), LoadOptions.defaults());
        RewardModel reward = RewardModel.load(model, result.folder())) {
      int[] good = model.tokenizer().encode("My refund is late.\nThanks for telling us.", true);
      assertThat(reward.score(List.of(good, good))).hasSize(2);
    }
  }

  @Test
  void anAdapterIsContinuedAndComparedWithItsStart() throws IOException {
    TrainingSpec first = spec("sft", completions, "first", Map.of());
    TrainingRun.run(first, ProgressListener.NONE, CancelSignal.NEVER);
    TrainingSpec on = spec("dpo", pairs, "second", Map.of());
    TrainingSpec second =
        new TrainingSpec(
            on.model(),
            on.data(),
            on.out(),
            "dpo",
            "lora",
            first.out(),
            on.evalData(),
            null,
            on.parameters());
    TrainingRun.run(second, ProgressListener.NONE, CancelSignal.NEVER);
    assertThat(metrics(second).get(0).get("loss").asDouble()).isCloseTo(Math.log(2), within(1e-6));
  }

  @Test
  void fullTrainingFromRandomWeightsWritesAModelThatLoads() throws IOException {
    Map<String, String> parameters =
        Map.of("init_weights", "random", "max_steps", "30", "learning_rate", "1e-2");
    TrainingSpec lora = spec("sft", completions, "full", parameters);
    TrainingSpec spec =
        new TrainingSpec(
            lora.model(),
            lora.data(),
            lora.out(),
            "sft",
            "full",
            null,
            null,
            null,
            lora.parameters());
    TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
    List<JsonNode> lines = metrics(spec);
    assertThat(lines.get(0).get("loss").asDouble()).isCloseTo(Math.log(380), within(0.1));
    assertThat(lines.get(29).get("loss").asDouble()).isLessThan(3);
    try (LanguageModel model = LanguageModel.load(spec.out(), LoadOptions.defaults());
        SafeTensors file = SafeTensors.open(spec.out().resolve("model.safetensors"))) {
      assertThat(file.names()).hasSize(21);
      assertThat(model.logits(List.of(new int[] {5, 6}), null, false).get(0)).hasSize(2 * 380);
    }
  }

  @Test
  void divergenceStopsTheRunBeforeTheWeightsChange() {
    TrainingSpec spec = spec("sft", completions, "nan", Map.of("learning_rate", "1e38"));
    assertThatThrownBy(() -> TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER))
        .isInstanceOfSatisfying(
            EngineException.class,
            e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.DIVERGED))
        .hasMessageContaining("learning_rate");
  }

  @Test
  void whatIsNotKnownIsRefusedByName() {
    assertRefused(spec("sft", completions, "x", Map.of("learning_rat", "1")), "'learning_rat'");
    assertRefused(spec("sft", completions, "x", Map.of("max_steps", "many")), "'max_steps'");
    assertRefused(spec("sft", completions, "x", Map.of("target_modules", "c_attn")), "'c_attn'");
    assertRefused(spec("magic", completions, "x", Map.of()), "'magic'");
    assertRefused(spec("dpo", completions, "x", Map.of()), "row 1");
  }

  private static void assertRefused(TrainingSpec spec, String name) {
    assertThatThrownBy(() -> TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(name);
  }

  private static List<JsonNode> metrics(TrainingSpec spec) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(spec.out().resolve("metrics.jsonl"))) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  private static List<JsonNode> withoutClock(TrainingSpec spec) throws IOException {
    List<JsonNode> lines = metrics(spec);
    for (JsonNode line : lines) {
      ((ObjectNode) line).remove(List.of("tokens_per_second", "peak_memory_bytes"));
    }
    return lines;
  }

  private static final class Notices implements ProgressListener {
    final List<String> messages = new ArrayList<>();

    @Override
    public void onStep(int step, int total, Map<String, Double> metrics) {}

    @Override
    public void onNotice(String message) {
      messages.add(message);
    }
  }
}
