package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.WholeRuns.PowerCut;
import io.attune.engine.report.EventReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that are shown elsewhere, and runs that alarms stop. */
class WatchedRunTest {
  /** 30 steps learn one row by heart, 10 more give the model rows that it has not seen. */
  private static final Map<String, String> EXPLODING =
      Map.of(
          "learning_rate", "2e-2",
          "lr_scheduler_type", "constant",
          "train_sampling_strategy", "sequential",
          "max_steps", "40",
          "save_steps", "1",
          "save_total_limit", "1",
          "alarm_loss_window", "1",
          "alarm_loss_steps", "3");

  @TempDir Path folder;
  private Path rows;
  private Path surprising;

  @BeforeEach
  void writeRows() throws IOException {
    List<String> lines = WholeRuns.completions("chosen");
    rows = Files.write(folder.resolve("rows.jsonl"), lines);
    String known = "{\"prompt\": \"Where? \", \"completion\": \"Here.\"}";
    lines.addAll(0, Collections.nCopies(60, known));
    lines.addAll(lines.subList(60, 64));
    surprising = Files.write(folder.resolve("surprising.jsonl"), lines);
  }

  private TrainingSpec spec(String out, Map<String, String> more) {
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
        "sft",
        "lora",
        null,
        rows,
        null,
        parameters);
  }

  private TrainingSpec surprised(String out, String... more) {
    TrainingSpec lora = spec(out, with(EXPLODING, more));
    Map<String, String> parameters = new HashMap<>(lora.parameters());
    parameters.remove("r");
    return new TrainingSpec(
        lora.model(), surprising, lora.out(), "sft", "full", null, null, null, parameters);
  }

  private static Map<String, String> with(Map<String, String> parameters, String... more) {
    Map<String, String> result = new HashMap<>(parameters);
    for (int i = 0; i < more.length; i += 2) {
      result.put(more[i], more[i + 1]);
    }
    return result;
  }

  @Test
  void tensorBoardShowsWhatMetricsJsonlSays() throws IOException {
    Map<String, String> shown =
        Map.of("report_to", "tensorboard", "eval_strategy", "steps", "eval_steps", "3");
    TrainingSpec spec = spec("out", shown);
    WholeRuns.cutAfter(5, spec);
    WholeRuns.run(spec);

    SortedMap<String, SortedMap<Long, Float>> curves =
        EventReader.curves(spec.out().resolve("runs"));
    int values = 0;
    for (JsonNode line : WholeRuns.metrics(spec)) {
      for (Map.Entry<String, JsonNode> metric : line.properties()) {
        String name = metric.getKey();
        if (!name.equals("step") && !name.equals("tokens")) {
          String tag = name.startsWith("eval_") ? "eval/" + name.substring(5) : "train/" + name;
          assertThat(curves.get(tag))
              .as(tag)
              .containsEntry(line.get("step").asLong(), (float) metric.getValue().asDouble());
          values++;
        }
      }
    }
    assertThat(values).isEqualTo(curves.values().stream().mapToInt(Map::size).sum());
    assertThat(curves).containsKeys("train/loss", "train/learning_rate", "eval/loss");
    assertThat(curves.get("train/loss")).hasSize(6);
    assertThat(curves.get("eval/loss")).hasSize(2);
  }

  @Test
  void whereARunIsShownMayChangeWhenItIsResumed() throws IOException {
    TrainingSpec plain = spec("out", Map.of());
    WholeRuns.cutAfter(5, plain);
    Path logs = folder.resolve("logs");
    Map<String, String> more =
        Map.of(
            "report_to", "tensorboard", "logging_dir", logs.toString(), "alarm_loss_factor", "9");
    WholeRuns.run(spec("out", more));
    assertThat(WholeRuns.metrics(plain)).hasSize(6);
    assertThat(EventReader.curves(logs).get("train/loss")).containsOnlyKeys(5L, 6L);

    TrainingSpec whole = spec("whole", Map.of());
    WholeRuns.run(whole);
    assertThat(WholeRuns.adapter(plain)).hasSameBinaryContentAs(WholeRuns.adapter(whole));
  }

  @Test
  void aRunWhoseLossExplodesStopsAndGoesOnFromItsGoodCheckpoint() throws IOException {
    TrainingSpec spec = surprised("out");
    EngineException alarm = catchThrowableOfType(EngineException.class, () -> WholeRuns.run(spec));
    assertThat(alarm.reason()).isEqualTo(Reason.DIVERGED);
    assertThat(alarm).hasMessageContaining("the loss explodes: for 3 steps in a row");
    List<JsonNode> lines = WholeRuns.metrics(spec);
    int stopped = lines.size() + 1;
    assertThat(alarm).hasMessageStartingWith("step " + stopped + ": ");
    assertThat(stopped).isEqualTo(33);
    int good = 29; // made the loss of the step before the first suspicious one
    Path checkpoint = spec.out().resolve("checkpoint-" + good);
    assertThat(alarm).hasMessageContaining("The last good checkpoint is " + checkpoint + ":");
    assertThat(checkpoint).isDirectory();
    assertThat(spec.out().resolve("checkpoint-" + (good - 1))).doesNotExist();

    assertThatThrownBy(() -> WholeRuns.run(spec))
        .as("the same command")
        .hasMessage(alarm.getMessage());

    TrainingSpec cut = surprised("cut");
    WholeRuns.cutAfter(stopped - 2, cut);
    assertThatThrownBy(() -> WholeRuns.run(cut))
        .as("resumed while the alarm was building up")
        .hasMessage(alarm.getMessage().replace(spec.out().toString(), cut.out().toString()));

    TrainingSpec calmer =
        surprised(
            "calmer",
            "learning_rate",
            "1e-4",
            "alarm_loss_factor",
            "0",
            "resume_from_checkpoint",
            checkpoint.toString());
    PowerCut cutAgain = WholeRuns.cutAfter(3, calmer);
    TrainingRun.run(calmer, cutAgain, CancelSignal.NEVER);
    assertThat(cutAgain.seen()).startsWith(good + 1, good + 2, good + 3, good + 3).endsWith(40);
    assertThat(WholeRuns.metrics(calmer).get(0).get("loss").asDouble())
        .as("the good checkpoint's weights, and the same rows")
        .isEqualTo(lines.get(good).get("loss").asDouble());

    WholeRuns.run(surprised("out", "alarm_loss_factor", "0", "alarm_grad_norm_factor", "0"));
    assertThat(WholeRuns.metrics(spec)).as("without alarms it goes on").hasSize(40);
    assertThat(spec.out().resolve("checkpoint-40")).isDirectory();
    assertThat(checkpoint).doesNotExist();
  }

  @Test
  void stepsWithoutFiniteGradientsMayBeLeftOut() throws IOException {
    Map<String, String> ruined = Map.of("learning_rate", "1e38", "alarm_nan_steps", "0");
    TrainingSpec spec = spec("out", ruined);
    WholeRuns.run(spec);
    List<JsonNode> lines = WholeRuns.metrics(spec);
    assertThat(lines).hasSize(6);
    assertThat(lines.get(0).get("loss").isNumber()).isTrue();
    assertThat(lines.get(5).get("loss").asText()).isEqualTo("NaN");

    TrainingSpec third = spec("third", with(ruined, "alarm_nan_steps", "3"));
    assertThatThrownBy(() -> WholeRuns.run(third))
        .hasMessageStartingWith("step 4: the loss is NaN");
  }

  @Test
  void aCheckpointToGoOnFromHasToBeOne() {
    assertThatThrownBy(
            () -> WholeRuns.run(spec("out", Map.of("resume_from_checkpoint", folder.toString()))))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID_ARGUMENT))
        .hasMessageContaining("'resume_from_checkpoint' is " + folder);
  }
}
