package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands as a script calls them, on models whose numbers are known. */
class OfflineCommandsTest {
  private static final Path GOLDEN = Path.of("../../services/lib/engine/src/test/resources/golden");
  private static final String LLAMA = GOLDEN.resolve("models/llama").toString();

  @TempDir Path folder;
  private final PrintStream realOut = System.out;
  private final PrintStream realErr = System.err;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @BeforeEach
  void capture() {
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restore() {
    System.setOut(realOut);
    System.setErr(realErr);
  }

  private String errors() {
    return err.toString(StandardCharsets.UTF_8);
  }

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
    assertThat(trained).as(errors()).isZero();
    assertThat(Files.readAllLines(result.resolve("metrics.jsonl"))).hasSize(30);
    out.reset();

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
    assertThat(generated).as(errors()).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("Here.\n");
    out.reset();

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
    assertThat(evaluated).as(errors()).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).containsPattern("accuracy +1\\.0000");
  }

  @Test
  void importsGgufAndMeasuresTheResultOnAText() throws Exception {
    Path model = folder.resolve("imported");
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "The License shall apply to the Work. ".repeat(20));
    Path source = GOLDEN.resolve("gguf/llama.gguf");

    int imported = Attune.execute("import", source.toString(), "--out", model.toString());
    assertThat(imported).as(errors()).isZero();
    assertThat(errors()).contains("dequantising llama.gguf").contains("wrote " + model);

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
    assertThat(Attune.execute(evaluate)).as(errors()).isZero();
    JsonNode result = new ObjectMapper().readTree(folder.resolve("result.json").toFile());
    for (JsonNode metric : result.get("metrics")) {
      assertThat(metric.get("unit").asText()).isEqualTo("windows");
      assertThat(metric.get("rows").asInt()).isGreaterThan(2);
      assertThat(metric.get("value").asDouble()).isGreaterThan(1).isFinite();
    }

    assertThat(Attune.execute("import", source.toString(), "--out", model.toString())).isEqualTo(2);
    assertThat(errors()).contains("exists already");
  }

  @Test
  void refusesToImportWhatItDoesNotKnow() throws Exception {
    String target = folder.resolve("imported").toString();

    assertThat(Attune.execute("import", LLAMA + "/config.json", "--out", target)).isEqualTo(2);
    assertThat(errors()).contains("config.json is not a GGUF file");
    err.reset();
    assertThat(Attune.execute("import", "/nowhere/model.gguf", "--out", target)).isEqualTo(2);
    assertThat(errors()).contains("'/nowhere/model.gguf' is neither a file nor");
    err.reset();
    Path renamed = Files.writeString(folder.resolve("x.gguf"), "GGUF");
    assertThat(Attune.execute("import", renamed.toString(), "--out", target)).isEqualTo(1);
    assertThat(errors().lines()).singleElement().asString().contains("is not a valid GGUF file");
    assertThat(folder.resolve("imported")).doesNotExist();
  }

  @Test
  void misuseIsOneLineAndStatusTwo() {
    assertThat(Attune.execute("generat")).isEqualTo(2);
    assertThat(errors()).contains("Unmatched argument").contains("attune generate");
    err.reset();

    assertThat(Attune.execute("generate", "--model", LLAMA)).isEqualTo(2);
    assertThat(errors()).contains("--prompt");
    err.reset();

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
    assertThat(errors()).contains("'learning_rat'").contains("did you mean 'learning_rate'?");
  }

  @Test
  void failureIsOneLineAndStatusOne() {
    int status = Attune.execute("generate", "--model", "/nowhere", "--prompt", "x");

    assertThat(status).isEqualTo(1);
    assertThat(errors().lines())
        .containsExactly("attune generate: /nowhere is not a model folder: it has no config.json");
  }
}
