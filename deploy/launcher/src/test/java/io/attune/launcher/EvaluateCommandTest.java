package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a script sees of {@code attune evaluate}, on models whose numbers are known. */
class EvaluateCommandTest extends EvaluateCalls {

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
}
