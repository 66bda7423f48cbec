package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The commands as a script calls them, on models whose numbers are known. */
class OfflineCommandsTest {
  private static final Path GOLDEN = Path.of("../../services/lib/engine/src/test/resources/golden");
  private static final String LLAMA = GOLDEN.resolve("models/llama").toString();

  @TempDir Path folder;
  @RegisterExtension final CapturedOutput captured = new CapturedOutput();

  @Test
  void trainsAndGeneratesWithTheResult() throws Exception {
    Path rows = folder.resolve("rows.jsonl");
    Files.writeString(rows, "{\"prompt\": \"Where? \", \"completion\": \"Here.\"}\n".repeat(8));
    Path config = folder.resolve("c.yaml");
    Files.writeString(
        config, "max_steps: 30\nlearning_rate: 0.01\ntarget_modules: [q_proj, lm_head]\n");
    Path result = folder.resolve("out");

    int trained =
        Attune.execute(
            "train",
            "--model",
            LLAMA,
            "--data",
            rows.toString(),
            "--out",
            result.toString(),
            "--objective",
            "sft",
            "--method",
            "lora",
            "--config",
            config.toString(),
            "-p",
            "target_modules=q_proj,v_proj,up_proj,down_proj",
            "-p",
            "r=16");
    assertThat(trained).as(captured.errors()).isZero();
    assertThat(Files.readAllLines(result.resolve("metrics.jsonl"))).hasSize(30);
    captured.reset();

    int generated =
        Attune.execute(
            "generate",
            "--model",
            LLAMA,
            "--adapter",
            result.toString(),
            "--raw",
            "--greedy",
            "--prompt",
            "Where? ",
            "--max-new-tokens",
            "8");
    assertThat(generated).as(captured.errors()).isZero();
    assertThat(captured.output()).isEqualTo("Here.\n");
    captured.reset();

    int evaluated =
        Attune.execute(
            "evaluate",
            "--model",
            LLAMA,
            "--adapter",
            result.toString(),
            "--task",
            "accuracy",
            "--data",
            rows.toString());
    assertThat(evaluated).as(captured.errors()).isZero();
    assertThat(captured.output()).containsPattern("accuracy +1\\.0000");
  }

  @Test
  void importsGgufAndMeasuresTheResultOnAText() throws Exception {
    Path model = folder.resolve("imported");
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "The License shall apply to the Work. ".repeat(20));
    Path source = GOLDEN.resolve("gguf/llama.gguf");

    int imported = Attune.execute("import", source.toString(), "--out", model.toString());
    assertThat(imported).as(captured.errors()).isZero();
    assertThat(captured.errors()).contains("dequantising llama.gguf").contains("wrote " + model);

    String[] evaluate = {
      "evaluate",
      "--model",
      model.toString(),
      "--task",
      "perplexity",
      "--data",
      text.toString(),
      "--max-length",
      "32",
      "--out",
      folder.resolve("result.json").toString()
    };
    assertThat(Attune.execute(evaluate)).as(captured.errors()).isZero();
    JsonNode result = new ObjectMapper().readTree(folder.resolve("result.json").toFile());
    for (JsonNode metric : result.get("metrics")) {
      assertThat(metric.get("unit").asText()).isEqualTo("windows");
      assertThat(metric.get("rows").asInt()).isGreaterThan(2);
      assertThat(metric.get("value").asDouble()).isGreaterThan(1).isFinite();
    }

    assertThat(Attune.execute("import", source.toString(), "--out", model.toString())).isEqualTo(2);
    assertThat(captured.errors()).contains("exists already");
  }

  @Test
  void refusesToImportWhatItDoesNotKnow() throws Exception {
    String target = folder.resolve("imported").toString();

    assertThat(Attune.execute("import", LLAMA + "/config.json", "--out", target)).isEqualTo(2);
    assertThat(captured.errors()).contains("config.json is not a GGUF file");
    captured.reset();
    assertThat(Attune.execute("import", "/nowhere/model.gguf", "--out", target)).isEqualTo(2);
    assertThat(captured.errors()).contains("'/nowhere/model.gguf' is neither a file nor");
    captured.reset();
    Path renamed = Files.writeString(folder.resolve("x.gguf"), "GGUF");
    assertThat(Attune.execute("import", renamed.toString(), "--out", target)).isEqualTo(1);
    assertThat(captured.errors().lines())
        .singleElement()
        .asString()
        .contains("is not a valid GGUF file");
    assertThat(folder.resolve("imported")).doesNotExist();
  }

  @Test
  void misuseIsOneLineAndStatusTwo() {
    assertThat(Attune.execute("generat")).isEqualTo(2);
    assertThat(captured.errors()).contains("Unmatched argument").contains("attune generate");
    captured.reset();

    assertThat(Attune.execute("generate", "--model", LLAMA)).isEqualTo(2);
    assertThat(captured.errors()).contains("--prompt");
    captured.reset();

    int status =
        Attune.execute(
            "train",
            "--model",
            LLAMA,
            "--data",
            "x",
            "--out",
            folder.toString(),
            "--objective",
            "sft",
            "--method",
            "lora",
            "-p",
            "learning_rat=1");
    assertThat(status).isEqualTo(2);
    assertThat(captured.errors())
        .contains("'learning_rat'")
        .contains("did you mean 'learning_rate'?");
  }

  @Test
  void failureIsOneLineAndStatusOne() {
    int status = Attune.execute("generate", "--model", "/nowhere", "--prompt", "x");

    assertThat(status).isEqualTo(1);
    assertThat(captured.errors().lines())
        .containsExactly("attune generate: /nowhere is not a model folder: it has no config.json");
  }
}
