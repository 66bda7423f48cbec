package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code attune evaluate --task policy}: rewards of what a model writes to prompts. */
class EvaluatePolicyTest extends EvaluateCalls {
  private Path prompts;

  @BeforeEach
  void writePrompts() throws Exception {
    prompts =
        Files.writeString(
            folder.resolve("prompts.jsonl"),
            "{\"prompt\": \"My parcel is late.\"}\n{\"prompt\": \"Thanks.\"}\n");
  }

  private int execute(String model, String... arguments) {
    captured.reset();
    List<String> all =
        new ArrayList<>(List.of("evaluate", "--model", model, "--data", prompts.toString()));
    all.addAll(Arrays.asList(arguments));
    return Attune.execute(all.toArray(String[]::new));
  }

  private void assertPolicyRefused(String message, String model, String... arguments) {
    assertThat(execute(model, arguments)).isNotZero();
    assertThat(captured.errors().lines()).anyMatch(line -> line.contains(message));
  }

  @Test
  void anAdapterIsComparedWithTheModelWithoutIt() throws Exception {
    Path out = folder.resolve("result.json");
    Path written = folder.resolve("written.jsonl");
    int status =
        execute(
            LLAMA,
            "--adapter",
            LORA,
            "--baseline",
            "--task",
            "policy",
            "--reward-rule",
            "2 * completion_tokens",
            "--samples",
            "3",
            "--max-new-tokens",
            "5",
            "--out",
            out.toString(),
            "--predictions",
            written.toString());
    assertThat(status).as(captured.errors()).isZero();
    JsonNode result = JSON.readTree(out.toFile());
    JsonNode reward = metric(result, "reward");
    double tokens = metric(result, "completion_tokens").get("value").asDouble();
    assertThat(reward.get("value").asDouble()).isEqualTo(2 * tokens);
    assertThat(reward.get("rows").asInt()).isEqualTo(2);
    assertThat(reward.get("signature").asText())
        .isEqualTo("temperature:1.0|max_new_tokens:5|samples:3");
    JsonNode kl = metric(result, "kl");
    assertThat(kl.get("value").asDouble()).isNotZero();
    assertThat(kl.get("baseline").get("value").asDouble()).isZero();

    List<String> lines = Files.readAllLines(written);
    assertThat(lines).hasSize(6);
    double sum = 0;
    for (String line : lines) {
      sum += JSON.readTree(line).get("score").asDouble();
    }
    assertThat(sum / 6).isEqualTo(reward.get("value").asDouble());
    assertThat(JSON.readTree(lines.get(2)).get("prompt").asText()).isEqualTo("My parcel is late.");
  }

  @Test
  void whatDoesNotGoTogetherIsRefused() {
    String encoder = GOLDEN.resolve("models/bert-regression").toString();
    assertPolicyRefused("nothing says how good", LLAMA, "--task", "policy");
    assertPolicyRefused("is no policy", encoder, "--task", "policy", "--reward-rule", "1");
    assertPolicyRefused("goes alone", LLAMA, "--task", "policy,bleu", "--reward-rule", "1");
    assertPolicyRefused("go with --task policy", LLAMA, "--task", "perplexity", "--samples", "2");
    assertPolicyRefused(
        "whole distribution", LLAMA, "--task", "policy", "--reward-rule", "1", "--top-k", "3");
  }
}
