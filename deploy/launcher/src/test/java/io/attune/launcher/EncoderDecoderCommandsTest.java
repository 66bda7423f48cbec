package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
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
import org.junit.jupiter.params.provider.ValueSource;

/** The offline commands on models that turn one text into another. */
class EncoderDecoderCommandsTest {
  private static final Path GOLDEN = Path.of("../../services/lib/engine/src/test/resources/golden");

  @TempDir Path folder;
  @RegisterExtension final CapturedOutput captured = new CapturedOutput();

  @ParameterizedTest
  @ValueSource(strings = {"t5-untied", "bart-scaled"})
  void logitsAndLossAreTheReferences(String name) throws Exception {
    Path model = GOLDEN.resolve("models").resolve(name);
    logits(model, model.resolve("expected.json"), "logits");
    ReferenceLogits.assertLoss(
        folder.resolve("o.safetensors"),
        new ObjectMapper().readTree(model.resolve("expected.json").toFile()));
  }

  @ParameterizedTest
  @CsvSource({"t5-lora-all,t5-untied", "bart-lora,bart-scaled"})
  void logitsWithAnAdapterAreTheReferences(String name, String base) throws Exception {
    Path model = GOLDEN.resolve("models").resolve(base);
    Path adapter = GOLDEN.resolve("adapters").resolve(name);
    Path input = adapter.resolve("expected.json");
    logits(model, input, "logits", "--adapter", adapter.toString());
    logits(model, input, "merged_logits", "--merged", "--adapter", adapter.toString());
  }

  @Test
  void logitsNeedSomethingForTheDecoderToRead() throws Exception {
    Path input = Files.writeString(folder.resolve("i.json"), "{\"input_ids\": [[5, 6]]}");
    int status = run("logits", "--model", model("t5"), "--input", input.toString(), "--out", "o");
    assertThat(status).isNotZero();
    assertThat(captured.errors()).contains("labels").contains("i.json");
  }

  @Test
  void aSearchPrintsItsBestTextsAfterTheirScores() {
    int status =
        run(
            "generate",
            "--model",
            model("t5-untied"),
            "--prompt",
            "No.",
            "--raw",
            "--max-new-tokens",
            "6",
            "--num-beams",
            "3",
            "--length-penalty",
            "0.5",
            "--early-stopping",
            "never",
            "--num-return-sequences",
            "2",
            "--min-length",
            "3",
            "--no-repeat-ngram-size",
            "2");
    assertThat(status).as(captured.errors()).isZero();
    List<String> scores =
        Arrays.stream(captured.output().split("\n"))
            .filter(line -> line.matches("-\\d+\\.\\d{4}\t.*"))
            .toList();
    assertThat(scores).hasSize(2);
  }

  @Test
  void withoutASearchTheTextIsStreamed() {
    String[] greedy = {
      "generate",
      "--model",
      model("bart"),
      "--prompt",
      "No.",
      "--raw",
      "--greedy",
      "--max-new-tokens",
      "6"
    };
    assertThat(run(greedy)).as(captured.errors()).isZero();
    String[] sampled = {
      "generate",
      "--model",
      model("t5-untied"),
      "--prompt",
      "No.",
      "--raw",
      "--seed",
      "3",
      "--max-new-tokens",
      "6"
    };
    assertThat(run(sampled)).as(captured.errors()).isZero();
  }

  @Test
  void optionsThatDoNotFitAreRefused() {
    assertThat(
            run(
                "generate",
                "--model",
                model("t5"),
                "--prompt",
                "No.",
                "--num-beams",
                "2",
                "--stop",
                "x"))
        .isNotZero();
    assertThat(captured.errors()).contains("--stop").contains("--num-beams 1");
    captured.reset();
    assertThat(run("generate", "--model", model("llama"), "--prompt", "No.", "--num-beams", "2"))
        .isNotZero();
    assertThat(captured.errors()).contains("encoder-decoder");
  }

  private void logits(Path model, Path input, String tensor, String... more) {
    Path result = folder.resolve("o.safetensors");
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "logits",
                "--model",
                model.toString(),
                "--input",
                input.toString(),
                "--out",
                result.toString()));
    arguments.addAll(List.of(more));
    assertThat(run(arguments.toArray(String[]::new))).as(captured.errors()).isZero();
    ReferenceLogits.assertAgree(result, input.resolveSibling("expected.safetensors"), tensor, null);
  }

  private static String model(String name) {
    return GOLDEN.resolve("models").resolve(name).toString();
  }

  private static int run(String... arguments) {
    return Attune.execute(arguments);
  }
}
