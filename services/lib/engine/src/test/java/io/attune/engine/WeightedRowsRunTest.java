package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

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

/** Whole runs on the tiny model, from rows that do not all count alike. */
class WeightedRowsRunTest {
  private static final String PROMPT = "{\"prompt\": \"What is it?\", ";

  @TempDir Path folder;

  private TrainingResult run(String out, String objective, List<String> rows, int steps)
      throws IOException {
    Path data = folder.resolve(out + ".jsonl");
    Files.write(data, rows);
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", Integer.toString(rows.size()));
    parameters.put("max_steps", Integer.toString(steps));
    parameters.put("learning_rate", "1e-2");
    TrainingSpec spec =
        new TrainingSpec(
            Golden.path("models/llama"),
            data,
            folder.resolve(out),
            objective,
            "lora",
            null,
            data,
            null,
            parameters);
    return TrainingRun.run(spec, (step, total, metrics) -> {}, CancelSignal.NEVER);
  }

  private static List<String> rows(String objective, double good, double bad) {
    return switch (objective) {
      case "sft" ->
          List.of(
              PROMPT + "\"completion\": \"A dog.\", \"weight\": " + good + "}",
              PROMPT + "\"completion\": \"A cat.\", \"weight\": " + bad + "}");
      case "dpo" ->
          List.of(
              PROMPT + "\"chosen\": \"A dog.\", \"rejected\": \"No.\", \"weight\": " + good + "}",
              PROMPT + "\"chosen\": \"No.\", \"rejected\": \"A dog.\", \"weight\": " + bad + "}");
      default ->
          List.of(
              PROMPT + "\"completion\": \"A dog.\", \"score\": 1, \"weight\": " + good + "}",
              PROMPT + "\"completion\": \"A dog.\", \"score\": 0, \"weight\": " + bad + "}");
    };
  }

  /** The first step's loss is before anything was learnt. */
  @ParameterizedTest
  @CsvSource({"sft", "dpo", "reward"})
  void aWeightMultipliesTheLossAndHeldOutRowsCountAlike(String objective) throws IOException {
    TrainingResult plain = run("plain", objective, rows(objective, 1, 1), 1);
    TrainingResult weighted = run("weighted", objective, rows(objective, 0.5, 0.5), 1);

    double loss = plain.metrics().get("loss");
    assertThat(weighted.metrics().get("loss")).isCloseTo(loss / 2, within(1e-6 * loss));
    assertThat(weighted.metrics().get("grad_norm"))
        .isCloseTo(plain.metrics().get("grad_norm") / 2, within(1e-5));
    assertThat(weighted.evaluation().get("candidate").get("loss"))
        .isCloseTo(plain.evaluation().get("candidate").get("loss"), within(1e-4 * loss));
  }

  @Test
  void ofTwoRowsThatContradictEachOtherTheHeavierIsLearnt() throws IOException {
    List<Double> means = new ArrayList<>();
    for (double bad : new double[] {0.05, 1.95}) {
      Map<String, Double> held =
          run("reward-" + bad, "reward", rows("reward", 2 - bad, bad), 60)
              .evaluation()
              .get("candidate");
      means.add(held.get("mean_reward"));
    }
    // Least squares: the mean of the scores, by weight.
    assertThat(means.get(0)).isCloseTo(0.975, within(0.05));
    assertThat(means.get(1)).isCloseTo(0.025, within(0.05));
  }

  @Test
  void documentsHaveNoWeight() {
    assertThatThrownBy(
            () -> run("texts", "cpt", List.of("{\"text\": \"It is.\", \"weight\": 2}"), 1))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("row 1")
        .hasMessageContaining("weight");
  }
}
