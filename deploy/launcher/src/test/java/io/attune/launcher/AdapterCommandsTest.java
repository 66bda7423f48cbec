package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters of every kind through the commands that merge, train and generate. */
class AdapterCommandsTest {
  private static final Path GOLDEN = Path.of("../../services/lib/engine/src/test/resources/golden");
  private static final String LLAMA = GOLDEN.resolve("models/llama").toString();

  @TempDir Path folder;
  @RegisterExtension final CapturedOutput captured = new CapturedOutput();

  private int attune(List<String> arguments) {
    return Attune.execute(arguments.toArray(String[]::new));
  }

  private Path logits(Path model, Path input) {
    Path result = folder.resolve("o.safetensors");
    List<String> arguments = new ArrayList<>(List.of("logits", "--model", model.toString()));
    arguments.addAll(List.of("--input", input.toString(), "--out", result.toString()));
    assertThat(attune(arguments)).as(captured.errors()).isZero();
    return result;
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora-patterns", "dora", "ia3", "vera"})
  void aMergedModelIsOneOfItsOwn(String name) throws Exception {
    Path adapter = GOLDEN.resolve("adapters").resolve(name);
    Path out = folder.resolve("merged");
    List<String> merge =
        List.of(
            "merge", "--model", LLAMA, "--adapter", adapter.toString(), "--out", out.toString());

    assertThat(attune(merge)).as(captured.errors()).isZero();

    assertThat(out).isDirectoryContaining("glob:**/{config,tokenizer,tokenizer_config}.json");
    Path input = adapter.resolve("expected.json");
    ReferenceLogits.assertAgree(
        logits(out, input),
        adapter.resolve("expected.safetensors"),
        "merged_logits",
        new ObjectMapper().readTree(input.toFile()).get("attention_mask"));
    assertThat(attune(merge)).isEqualTo(2);
    assertThat(captured.errors()).contains(out + " exists already; choose another");
  }

  @ParameterizedTest
  @CsvSource({"prompt-tuning,PROMPT_TUNING", "p-tuning,P_TUNING", "prefix-tuning,PREFIX_TUNING"})
  void whatCannotBeMergedIsSaidByName(String name, String type) {
    Path adapter = GOLDEN.resolve("adapters").resolve(name);
    Path out = folder.resolve("merged");
    int status =
        attune(
            List.of(
                "merge",
                "--model",
                LLAMA,
                "--adapter",
                adapter.toString(),
                "--out",
                out.toString()));
    assertThat(status).isEqualTo(1);
    assertThat(captured.errors()).contains(type + " cannot be merged").doesNotContain("unexpected");
    assertThat(out).doesNotExist();
  }

  @Test
  void everyMethodTrainsAndItsAdapterGenerates() throws Exception {
    Path rows = folder.resolve("rows.jsonl");
    Files.writeString(rows, "{\"prompt\": \"Where? \", \"completion\": \"Here.\"}\n".repeat(8));
    for (String method :
        List.of("lora", "dora", "ia3", "vera", "prompt-tuning", "prefix-tuning", "p-tuning")) {
      Path out = folder.resolve(method);
      List<String> train = new ArrayList<>(List.of("train", "--model", LLAMA));
      train.addAll(List.of("--data", rows.toString(), "--out", out.toString()));
      train.addAll(List.of("--objective", "sft", "--method", method));
      train.addAll(List.of("-p", "max_steps=3", "-p", "save_steps=0"));
      assertThat(attune(train)).as(captured.errors()).isZero();
      assertThat(out).isDirectoryContaining("glob:**/adapter_{config.json,model.safetensors}");

      List<String> generate = new ArrayList<>(List.of("generate", "--model", LLAMA));
      generate.addAll(List.of("--adapter", out.toString(), "--raw", "--greedy"));
      generate.addAll(List.of("--prompt", "Where? ", "--max-new-tokens", "3"));
      assertThat(attune(generate)).as(method + captured.errors()).isZero();
    }
  }
}
