package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.LoadOptions;
import io.attune.engine.TextEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a script sees of {@code attune evaluate}, on models whose numbers are known. */
class EvaluateCommandTest {
  private static final Path GOLDEN = Path.of("../../services/lib/engine/src/test/resources/golden");
  private static final String LLAMA = GOLDEN.resolve("models/llama").toString();
  private static final String LORA = GOLDEN.resolve("adapters/lora").toString();
  private static final String BERT = GOLDEN.resolve("models/bert-classifier").toString();
  private static final String T5 = GOLDEN.resolve("models/t5").toString();
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  @RegisterExtension final CapturedOutput captured = new CapturedOutput();

  private Path write(String name, String... lines) throws Exception {
    return Files.write(folder.resolve(name), List.of(lines));
  }

  private JsonNode evaluate(String... arguments) throws Exception {
    Path file = folder.resolve("result.json");
    List<String> all = new ArrayList<>(List.of("evaluate", "--out", file.toString()));
    all.addAll(Arrays.asList(arguments));
    int status = Attune.execute(all.toArray(String[]::new));
    assertThat(status).as(captured.errors()).isZero();
    return JSON.readTree(file.toFile());
  }

  private void assertRefused(String message, String... arguments) {
    captured.reset();
    List<String> all = new ArrayList<>(List.of("evaluate"));
    all.addAll(Arrays.asList(arguments));
    assertThat(Attune.execute(all.toArray(String[]::new))).isNotZero();
    assertThat(captured.errors().lines()).anyMatch(l -> l.contains(message));
  }

  private static JsonNode metric(JsonNode result, String name) {
    for (JsonNode metric : result.get("metrics")) {
      if (metric.get("name").asText().equals(name)) {
        return metric;
      }
    }
    throw new AssertionError("no " + name + " in " + result);
  }

  private static double value(JsonNode result, String name) {
    return metric(result, name).get("value").asDouble();
  }

  /** What transformers says, window by window; golden/evaluate/make_perplexity.py asked it. */
  @Test
  void perplexityOfATextIsThatOfHuggingFacesGuide() throws Exception {
    JsonNode expected = JSON.readTree(GOLDEN.resolve("evaluate/perplexity.json").toFile());
    Path text = write("text.txt");
    Files.writeString(text, expected.get("text").asText());
    for (JsonNode window : expected.get("cases")) {
      JsonNode result =
          evaluate(
              "--model", LLAMA,
              "--task", "perplexity",
              "--data", text.toString(),
              "--max-length", window.get("max_length").asText(),
              "--stride", window.get("stride").asText());
      double perplexity = window.get("perplexity").asDouble();
      assertThat(value(result, "perplexity")).isCloseTo(perplexity, within(1e-4 * perplexity));
      assertThat(value(result, "loss")).isCloseTo(Math.log(perplexity), within(1e-4));
      JsonNode interval = metric(result, "perplexity");
      assertThat(interval.get("low").asDouble()).isLessThan(perplexity);
      assertThat(interval.get("high").asDouble()).isGreaterThan(perplexity);
    }
    assertThat(captured.output()).contains("metric", "95% interval", "window:32|stride:16");
  }

  /** Rows whose completion is what the model writes score full, others less. */
  @Test
  void answersAreComparedWithTheRightOnes() throws Exception {
    Path probe = write("probe.jsonl", row("The License", "x"), row("You may", "x"));
    Path answers = folder.resolve("answers.jsonl");
    evaluate(
        "--model",
        LLAMA,
        "--task",
        "bleu",
        "--data",
        probe.toString(),
        "--max-new-tokens",
        "12",
        "--predictions",
        answers.toString());
    List<String> written = new ArrayList<>();
    for (String line : Files.readAllLines(answers)) {
      written.add(JSON.readTree(line).get("prediction").asText());
    }
    assertThat(written).hasSize(2);

    Path rows =
        write(
            "rows.jsonl",
            row("The License", written.get(0)),
            row("You may", " " + written.get(1) + "\n"),
            row("The License", "something else"));
    JsonNode result =
        evaluate(
            "--model", LLAMA,
            "--task", "exact_match,bleu,chrf,chrf++,rouge",
            "--tokenize", "char",
            "--data", rows.toString(),
            "--max-new-tokens", "12",
            "--batch-size", "2");
    assertThat(value(result, "exact_match")).isCloseTo(2.0 / 3, within(1e-12));
    assertThat(metric(result, "bleu").get("signature").asText())
        .isEqualTo("nrefs:1|case:mixed|eff:no|tok:char|smooth:exp|version:2.6.0");
    assertThat(value(result, "bleu")).isBetween(30.0, 99.0);
    assertThat(value(result, "chrf")).isBetween(30.0, 99.0);
    assertThat(value(result, "chrf++")).isBetween(20.0, 99.0);
    assertThat(metric(result, "rougeL").get("rows").asInt()).isEqualTo(3);
    for (String name : List.of("rouge1", "rouge2", "rougeLsum")) {
      assertThat(value(result, name)).isBetween(0.0, 1.0);
    }
  }

  private static String row(String prompt, String completion) {
    return JSON.createObjectNode().put("prompt", prompt).put("completion", completion).toString();
  }

  @Test
  void anAdapterIsComparedWithItsModelOnTheSameRows() throws Exception {
    Path rows =
        write(
            "rows.jsonl",
            row("The License", " shall apply."),
            row("You may", " reproduce and distribute copies of the Work."),
            row("Subject to", " the terms and conditions."),
            row("a", " b c"));
    JsonNode alone = evaluate("--model", LLAMA, "--task", "perplexity", "--data", rows.toString());
    JsonNode adapted =
        evaluate(
            "--model",
            LLAMA,
            "--adapter",
            LORA,
            "--task",
            "perplexity",
            "--data",
            rows.toString(),
            "--forgetting",
            rows.toString(),
            "--baseline");
    JsonNode loss = metric(adapted, "loss");

    assertThat(loss.get("baseline").get("value").asDouble()).isEqualTo(value(alone, "loss"));
    double rise = loss.get("difference").get("value").asDouble();
    assertThat(rise).isCloseTo(value(adapted, "loss") - value(alone, "loss"), within(1e-12));
    assertThat(rise).isNotZero();
    assertThat(loss.get("difference").get("low").asDouble()).isLessThanOrEqualTo(rise);
    assertThat(loss.get("difference").get("high").asDouble()).isGreaterThanOrEqualTo(rise);
    assertThat(adapted.get("forgetting").get("difference")).isEqualTo(loss.get("difference"));

    // The same comparison the other way round: the baseline as a folder.
    JsonNode byFolder =
        evaluate(
            "--model",
            LLAMA,
            "--task",
            "perplexity",
            "--data",
            rows.toString(),
            "--baseline",
            LORA);
    assertThat(metric(byFolder, "loss").get("difference").get("value").asDouble())
        .isCloseTo(-rise, within(1e-12));
    JsonNode byModel =
        evaluate(
            "--model",
            LLAMA,
            "--task",
            "perplexity",
            "--data",
            rows.toString(),
            "--baseline",
            LLAMA);
    assertThat(metric(byModel, "loss").get("difference").get("high").asDouble()).isZero();
  }

  /** Four of five labels are the classes of the largest logits, which agree with transformers. */
  @Test
  void classifiersAreMeasuredByNamesAndNumbersOfLabels() throws Exception {
    List<String> texts =
        List.of("The License", "You may not", "a", "Work and Derivative Works", "b");
    List<Integer> classes = new ArrayList<>();
    try (TextEncoder model = TextEncoder.load(Path.of(BERT), LoadOptions.defaults())) {
      for (float[] logits : model.classify(texts)) {
        int best = logits[1] > logits[0] ? 1 : 0;
        classes.add(logits[2] > logits[best] ? 2 : best);
      }
    }
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      var row = JSON.createObjectNode().put("text", texts.get(i));
      int right = i == 4 ? (classes.get(i) + 1) % 3 : classes.get(i);
      lines.add(
          (i % 2 == 0 ? row.put("label", right) : row.put("label", "LABEL_" + right)).toString());
    }
    Path rows = write("rows.jsonl", lines.toArray(String[]::new));

    JsonNode result =
        evaluate("--model", BERT, "--task", "accuracy,f1,mcc", "--data", rows.toString());

    assertThat(value(result, "accuracy")).isCloseTo(0.8, within(1e-12));
    assertThat(metric(result, "macro f1").get("signature").asText()).isEqualTo("average:macro");
    assertThat(value(result, "macro precision")).isBetween(0.0, 1.0);
    assertThat(value(result, "macro recall")).isBetween(0.0, 1.0);
    assertThat(value(result, "mcc")).isBetween(-1.0, 1.0);
    JsonNode micro =
        evaluate("--model", BERT, "--task", "f1", "--average", "micro", "--data", rows.toString());
    assertThat(value(micro, "micro f1")).isCloseTo(0.8, within(1e-12));
  }

  @ParameterizedTest
  @CsvSource({"1,0", "2,0", "1,0.7"})
  void encoderDecodersAnswerAndAreRead(int beams, double temperature) throws Exception {
    Path rows =
        write("rows.jsonl", row("Where is it?", "Here it is."), row("Who?", "You."), row("a", "b"));
    JsonNode result =
        evaluate(
            "--model",
            T5,
            "--task",
            "perplexity,accuracy,chrf",
            "--data",
            rows.toString(),
            "--max-new-tokens",
            "6",
            "--batch-size",
            "2",
            "--num-beams",
            Integer.toString(beams),
            "--temperature",
            Double.toString(temperature));
    assertThat(value(result, "perplexity")).isGreaterThan(1).isFinite();
    assertThat(value(result, "accuracy")).isBetween(0.0, 1.0);
    assertThat(value(result, "chrf")).isBetween(0.0, 100.0);
  }

  @Test
  void badInputIsOneErrorThatNamesIt() throws Exception {
    String rows = write("rows.jsonl", row("a", "b"), "{\"text\": \"c\"}").toString();
    String text = write("text.txt", "some text").toString();
    String labelled =
        write(
                "labelled.jsonl",
                "{\"text\": \"a\", \"label\": 1}",
                "{\"text\": \"a\", \"label\": \"joy\"}")
            .toString();

    assertRefused(
        "rows.jsonl row 2: a row of shape PlainText does not serve",
        "--model",
        LLAMA,
        "--task",
        "bleu",
        "--data",
        rows);
    assertRefused(
        "rows.jsonl row 1: a row of shape Completion has no label",
        "--model",
        BERT,
        "--task",
        "f1",
        "--data",
        rows);
    assertRefused(
        "labelled.jsonl row 2: the model has no label 'joy'; its labels are LABEL_0",
        "--model",
        BERT,
        "--task",
        "accuracy",
        "--data",
        labelled);
    assertRefused(
        "cannot write answers; that needs a model that writes text",
        "--model",
        BERT,
        "--task",
        "bleu",
        "--data",
        rows);
    assertRefused(
        "cannot put texts into classes; that needs a text classifier",
        "--model",
        LLAMA,
        "--task",
        "mcc",
        "--data",
        labelled);
    assertRefused(
        "text.txt is plain text; answers are measured on rows",
        "--model",
        LLAMA,
        "--task",
        "rouge",
        "--data",
        text);
    assertRefused(
        "there is no task 'blue'; there are perplexity, accuracy",
        "--model",
        LLAMA,
        "--task",
        "blue",
        "--data",
        rows);
    assertRefused("--task and --data go together", "--model", LLAMA, "--task", "bleu");
    assertRefused("give --adapter", "--model", LLAMA, "--forgetting", text);
    assertRefused(
        "--baseline without a folder compares an adapter",
        "--model",
        LLAMA,
        "--task",
        "perplexity",
        "--data",
        text,
        "--baseline");
    assertRefused(
        "stride is 1 to the window",
        "--model",
        LLAMA,
        "--task",
        "perplexity",
        "--data",
        text,
        "--max-length",
        "8",
        "--stride",
        "9");
    assertRefused(
        "--average is 'mean'; there are binary, macro, micro, weighted",
        "--model",
        BERT,
        "--task",
        "f1",
        "--average",
        "mean",
        "--data",
        labelled);
    assertRefused(
        "--num-beams", "--model", LLAMA, "--task", "bleu", "--num-beams", "2", "--data", rows);
    assertRefused(
        "has nothing to write",
        "--model",
        LLAMA,
        "--task",
        "perplexity",
        "--data",
        text,
        "--predictions",
        "x");
  }

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
