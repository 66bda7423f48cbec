package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code attune evaluate --task reward}: scores against those of people. */
class EvaluateRewardTest extends EvaluateCalls {

  /** Correlations with the scores of rows, of one model and of two. */
  @Test
  void rewardsAreComparedWithScores() throws Exception {
    String model = GOLDEN.resolve("models/bert-regression").toString();
    String rows = GOLDEN.resolve("rewards/scores/rows.jsonl").toString();
    JsonNode run = JSON.readTree(GOLDEN.resolve("rewards/scores/run.json").toFile());
    List<String> lines = Files.readAllLines(Path.of(rows));
    double square = 0;
    for (int i = 0; i < lines.size(); i++) {
      double given = JSON.readTree(lines.get(i)).get("score").asDouble();
      square += Math.pow(run.get("before").get(i).asDouble() - given, 2) / lines.size();
    }
    JsonNode one = evaluate("--model", model, "--task", "reward", "--data", rows);
    assertThat(value(one, "rmse")).isCloseTo(Math.sqrt(square), within(1e-4));
    assertThat(value(one, "pearson")).isBetween(-1.0, 1.0);
    assertThat(metric(one, "spearman").get("rows").asInt()).isEqualTo(lines.size());

    JsonNode two =
        evaluate("--model", model, "--ensemble", model, "--task", "reward", "--data", rows);
    assertThat(value(two, "rmse")).isCloseTo(value(one, "rmse"), within(1e-9));
    // Members that are one agree everywhere: nothing correlates with that.
    assertThat(value(two, "disagreement and error (spearman)")).isZero();
    JsonNode compared =
        evaluate(
            "--model",
            model,
            "--ensemble",
            model,
            "--task",
            "reward",
            "--data",
            rows,
            "--baseline",
            model);
    JsonNode difference = metric(compared, "rmse").get("difference");
    assertThat(difference.get("value").asDouble()).isCloseTo(0, within(1e-12));
  }

  @Test
  void rewardsOfPairsAreReportedBinByBin() throws Exception {
    String model = GOLDEN.resolve("models/bert-regression").toString();
    String rows = GOLDEN.resolve("rewards/pairs/rows.jsonl").toString();
    JsonNode run = JSON.readTree(GOLDEN.resolve("rewards/pairs/run.json").toFile());
    double right = 0;
    for (int i = 0; i < run.get("before").size(); i += 2) {
      double ahead = run.get("before").get(i).asDouble() - run.get("before").get(i + 1).asDouble();
      right += ahead > 0 ? 1 : 0;
    }
    JsonNode result = evaluate("--model", model, "--task", "reward", "--data", rows);
    int pairs = run.get("before").size() / 2;
    assertThat(value(result, "accuracy")).isCloseTo(right / pairs, within(1e-9));
    assertThat(value(result, "calibration error")).isBetween(0.0, 1.0);
    int binned = 0;
    for (JsonNode metric : result.get("metrics")) {
      if (metric.get("name").asText().startsWith("accuracy at ")) {
        String signature = metric.get("signature").asText();
        binned += Integer.parseInt(signature.substring(signature.indexOf("pairs:") + 6));
      }
    }
    assertThat(binned).isEqualTo(pairs);
  }

  @Test
  void whatIsNoRewardModelIsRefused() throws Exception {
    Path rows = write("rows.jsonl", "{\"text\": \"a\", \"score\": 0.5}");
    String model = GOLDEN.resolve("models/bert-regression").toString();
    String data = rows.toString();
    assertRefused("is no reward model", "--model", BERT, "--task", "reward", "--data", data);
    assertRefused("is no reward model", "--model", LLAMA, "--task", "reward", "--data", data);
    assertRefused(
        "--task reward goes alone", "--model", model, "--task", "reward,f1", "--data", data);
    assertRefused(
        "--max-length does not go with",
        "--model",
        model,
        "--task",
        "reward",
        "--data",
        data,
        "--max-length",
        "8");
    assertRefused(
        "--ensemble goes with",
        "--model",
        BERT,
        "--task",
        "f1",
        "--data",
        data,
        "--ensemble",
        BERT);
    Path other = write("other.jsonl", "{\"text\": \"a\", \"label\": 0}");
    assertRefused(
        "says nothing of rewards",
        "--model",
        model,
        "--task",
        "reward",
        "--data",
        other.toString());
  }
}
