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
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs that are evaluated while they train. The held-out rows ask for something else than the
 * training rows teach, so that their loss falls, while format and words are learned, and then
 * rises.
 */
class BestCheckpointTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path rows;
  private Path heldOut;

  @BeforeEach
  void writeRows() throws IOException {
    rows = Files.write(folder.resolve("rows.jsonl"), WholeRuns.completions("chosen"));
    heldOut = Files.write(folder.resolve("held-out.jsonl"), WholeRuns.completions("rejected"));
  }

  private TrainingSpec spec(String out, Map<String, String> more) {
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", "2");
    parameters.put("max_steps", "40");
    parameters.put("learning_rate", "2e-2");
    parameters.put("lr_scheduler_type", "constant");
    parameters.put("lora_dropout", "0.1");
    parameters.put("save_steps", "4");
    parameters.put("save_total_limit", "1");
    parameters.putAll(more);
    return new TrainingSpec(
        Golden.path("models/llama"),
        rows,
        folder.resolve(out),
        "sft",
        "lora",
        null,
        heldOut,
        null,
        parameters);
  }

  private static final Map<String, String> EARLY =
      Map.of(
          "eval_strategy", "steps",
          "eval_steps", "2",
          "load_best_model_at_end", "true",
          "early_stopping_patience", "3");

  @Test
  void stopsEarlyAndEndsWithTheBestWeights() throws IOException {
    TrainingSpec spec = spec("early", EARLY);
    TrainingResult result = WholeRuns.run(spec);

    List<JsonNode> evaluated =
        WholeRuns.metrics(spec).stream().filter(l -> l.has("eval_loss")).toList();
    int best = 0;
    for (int i = 1; i < evaluated.size(); i++) {
      best = loss(evaluated.get(i)) < loss(evaluated.get(best)) ? i : best;
    }
    assertThat(best).isPositive();
    assertThat(evaluated).hasSize(best + 4);
    assertThat(result.steps()).isEqualTo(2 * (best + 4)).isLessThan(40);
    assertThat(result.evaluation().get("candidate").get("loss"))
        .isEqualTo(loss(evaluated.get(best)));

    // The rate is constant, so a run that ends at the best step is the same up to there.
    TrainingSpec shorter = spec("short", Map.of("max_steps", Integer.toString(2 * (best + 1))));
    WholeRuns.run(shorter);
    assertThat(WholeRuns.adapter(spec)).hasSameBinaryContentAs(WholeRuns.adapter(shorter));
  }

  @Test
  void anInterruptedRunStopsAtTheSameStepWithTheSameBytes() throws IOException {
    TrainingSpec whole = spec("whole", EARLY);
    int steps = WholeRuns.run(whole).steps();

    TrainingSpec cut = spec("cut", EARLY);
    List<Integer> seen = new ArrayList<>();
    int calls = 0;
    boolean done = false;
    while (!done) {
      // Power cuts all over the run: after 3 steps of each attempt, more with each.
      int last = seen.size() + 3 + calls++;
      try {
        TrainingRun.run(
            cut,
            (step, total, metrics) -> {
              seen.add(step);
              if (seen.size() == last) {
                throw new IllegalStateException("power cut");
              }
            },
            CancelSignal.NEVER);
        done = true;
      } catch (IllegalStateException powerCut) {
        assertThat(powerCut).hasMessage("power cut");
      }
    }
    assertThat(calls).isGreaterThan(2);
    assertThat(seen.get(seen.size() - 1)).isEqualTo(steps);
    assertThat(WholeRuns.adapter(cut)).hasSameBinaryContentAs(WholeRuns.adapter(whole));

    // Run again, a run that stopped early does not go on.
    byte[] bytes = Files.readAllBytes(WholeRuns.adapter(whole));
    Files.delete(WholeRuns.adapter(whole));
    TrainingResult again =
        TrainingRun.run(
            whole,
            (step, total, metrics) -> {
              throw new AssertionError("step " + step);
            },
            CancelSignal.NEVER);
    assertThat(again.steps()).isEqualTo(steps);
    assertThat(WholeRuns.adapter(whole)).hasBinaryContent(bytes);
  }

  @Test
  void keepsTheBestCheckpointBesideTheNewestAndPassesOverOneWhoseBestIsDamaged()
      throws IOException {
    TrainingSpec spec = spec("kept", EARLY);
    int steps = WholeRuns.run(spec).steps();
    List<String> checkpoints = checkpoints(spec);
    JsonNode state =
        JSON.readTree(spec.out().resolve("checkpoint-" + steps + "/trainer_state.json").toFile());
    String best = state.get("best_model_checkpoint").asText();
    assertThat(checkpoints).containsExactlyInAnyOrder("checkpoint-" + steps, best);
    assertThat(state.get("early_stopping_patience_counter").asInt()).isEqualTo(3);

    byte[] expected = Files.readAllBytes(WholeRuns.adapter(spec));
    Path weights = spec.out().resolve(best).resolve("training_state.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 1] ^= 1;
    Files.write(weights, bytes);
    List<String> notices = new ArrayList<>();
    TrainingRun.run(spec, noting(notices), CancelSignal.NEVER);

    assertThat(notices).anyMatch(m -> m.contains("checkpoint-" + steps + " is damaged"));
    assertThat(notices).anyMatch(m -> m.startsWith("stopped early after step " + steps));
    assertThat(WholeRuns.adapter(spec)).hasBinaryContent(expected);
  }

  private static ProgressListener noting(List<String> notices) {
    return new ProgressListener() {
      @Override
      public void onStep(int step, int total, Map<String, Double> metrics) {}

      @Override
      public void onNotice(String message) {
        notices.add(message);
      }
    };
  }

  @Test
  void refusesEvaluationsWithoutRowsAndMetricsThatAreNotMeasured() {
    TrainingSpec with = spec("x", Map.of("eval_strategy", "epoch"));
    TrainingSpec without =
        new TrainingSpec(
            with.model(),
            with.data(),
            with.out(),
            "sft",
            "lora",
            null,
            null,
            null,
            with.parameters());
    assertRefused(without, "no held-out rows");
    TrainingSpec unknown =
        spec(
            "y",
            Map.of(
                "eval_strategy", "steps",
                "eval_steps", "1",
                "metric_for_best_model", "bleu",
                "early_stopping_patience", "1"));
    assertRefused(unknown, "'metric_for_best_model' is bleu; the evaluation has loss");
  }

  private static void assertRefused(TrainingSpec spec, String message) {
    assertThatThrownBy(() -> WholeRuns.run(spec))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(message);
  }

  private static double loss(JsonNode line) {
    return line.get("eval_loss").asDouble();
  }

  private static List<String> checkpoints(TrainingSpec spec) throws IOException {
    try (Stream<Path> files = Files.list(spec.out())) {
      return files
          .map(path -> path.getFileName().toString())
          .filter(name -> name.startsWith("checkpoint-"))
          .toList();
    }
  }
}
