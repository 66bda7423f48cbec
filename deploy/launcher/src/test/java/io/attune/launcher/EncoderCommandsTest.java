package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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

/** The logits command on models that classify and embed. */
class EncoderCommandsTest {
  private static final Path GOLDEN = Path.of("../../services/lib/engine/src/test/resources/golden");
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir Path folder;
  @RegisterExtension final CapturedOutput captured = new CapturedOutput();

  private int logits(String model, String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("logits", "--model", GOLDEN.resolve(model).toString()));
    arguments.addAll(Arrays.asList(more));
    return Attune.execute(arguments.toArray(String[]::new));
  }

  private List<JsonNode> lines() throws Exception {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : captured.output().lines().toList()) {
      lines.add(MAPPER.readTree(line));
    }
    return lines;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "distilbert-classifier",
        "bert-multilabel",
        "bert-regression",
        "bert-tokens",
        "roberta-tokens",
        "distilbert-tokens"
      })
  void logitsAndLossAreTheReferences(String name) throws Exception {
    Path model = GOLDEN.resolve("models").resolve(name);
    JsonNode expected = MAPPER.readTree(model.resolve("expected.json").toFile());
    Path result = folder.resolve("o.safetensors");

    int status =
        logits(
            "models/" + name,
            "--input",
            model.resolve("expected.json").toString(),
            "--out",
            result.toString());

    assertThat(status).as(captured.errors()).isZero();
    JsonNode mask = name.endsWith("tokens") ? expected.get("attention_mask") : null;
    ReferenceLogits.assertAgree(result, model.resolve("expected.safetensors"), "logits", mask);
    ReferenceLogits.assertLoss(result, expected);
  }

  @ParameterizedTest
  @CsvSource({
    "bert-seq-cls,bert-classifier,false",
    "bert-seq-cls,bert-classifier,true",
    "bert-new-head,bert-model,false",
    "bert-new-head,bert-model,true"
  })
  void logitsWithAnAdapterAreTheReferences(String name, String base, boolean merged) {
    Path adapter = GOLDEN.resolve("adapters").resolve(name);
    Path result = folder.resolve("o.safetensors");
    List<String> more =
        new ArrayList<>(
            List.of(
                "--adapter",
                adapter.toString(),
                "--input",
                adapter.resolve("expected.json").toString(),
                "--out",
                result.toString()));
    if (merged) {
      more.add("--merged");
    }
    assertThat(logits("models/" + base, more.toArray(String[]::new)))
        .as(captured.errors())
        .isZero();
    ReferenceLogits.assertAgree(
        result, adapter.resolve("expected.safetensors"), merged ? "merged_logits" : "logits", null);
  }

  @Test
  void printsLabelsAndEmbeddingsOfTexts() throws Exception {
    assertThat(logits("models/bert-classifier", "--text", "No.", "--text", "Where is it?"))
        .as(captured.errors())
        .isZero();
    assertThat(lines()).hasSize(2);
    assertThat(lines().get(0).get("text").asText()).isEqualTo("No.");
    assertThat(lines().get(1).get("label").asText()).startsWith("LABEL_");
    assertThat(lines().get(1).get("score").asDouble()).isBetween(1 / 3.0, 1.0);
    captured.reset();

    assertThat(logits("models/bert-tokens", "--text", "No.")).as(captured.errors()).isZero();
    JsonNode tokens = lines().get(0).get("tokens");
    assertThat(tokens.get(0).get("token").asText()).isEqualTo("[CLS]");
    assertThat(tokens.get(tokens.size() - 1).get("token").asText()).isEqualTo("[SEP]");
    assertThat(List.of("O", "PER", "ORG", "LOC")).contains(tokens.get(1).get("label").asText());
    captured.reset();

    assertThat(logits("models/bert-multilabel", "--text", "No.")).as(captured.errors()).isZero();
    assertThat(lines().get(0).get("labels").size()).isEqualTo(4);
    captured.reset();

    assertThat(logits("models/roberta-model", "--text", "No.")).as(captured.errors()).isZero();
    assertThat(lines().get(0).get("embedding")).hasSize(32);
  }

  @Test
  void misuseIsOneLineThatSaysWhatToDo() {
    assertThat(logits("models/llama", "--text", "No.")).isEqualTo(2);
    assertThat(captured.errors()).contains("--text is for models that classify or embed");
    captured.reset();

    assertThat(logits("models/bert-classifier", "--input", "x.json")).isEqualTo(2);
    assertThat(captured.errors()).contains("'--out=FILE.safetensors'");
    captured.reset();

    assertThat(
            Attune.execute(
                "generate",
                "--model",
                GOLDEN.resolve("models/bert-classifier").toString(),
                "--prompt",
                "x"))
        .isEqualTo(2);
    assertThat(captured.errors()).contains("holds a model that writes no text").contains("bert");
  }
}
