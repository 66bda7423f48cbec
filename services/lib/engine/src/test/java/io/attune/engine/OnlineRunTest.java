package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.SafeTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs of learning online on the tiny model, from prompts to files. */
class OnlineRunTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Share of the letter e; a random model's is about 0.03. */
  private static final String RULE = "completion.count('e') / completion_tokens";

  @TempDir Path folder;
  private Path prompts;

  @BeforeEach
  void writePrompts() throws IOException {
    List<String> lines = new ArrayList<>();
    for (JsonNode row : Golden.json("preferences.json")) {
      lines.add(
          JSON.createObjectNode()
              .put("prompt", row.get("prompt").asText() + "\n")
              .put("wanted", "e")
              .toString());
    }
    prompts = Files.write(folder.resolve("prompts.jsonl"), lines);
  }

  private TrainingSpec spec(String objective, String out, Map<String, String> more) {
    return spec(objective, "lora", out, more);
  }

  private TrainingSpec spec(
      String objective, String method, String out, Map<String, String> more) {
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", "8");
    parameters.put("gradient_accumulation_steps", "2");
    parameters.put("max_completion_length", "6");
    parameters.put("max_steps", "4");
    parameters.put("learning_rate", "2e-2");
    parameters.put("lr_scheduler_type", "constant");
    parameters.put("r", "4");
    parameters.put("modules_to_save", "lm_head"); // its weights are too small to learn under
    parameters.put("save_steps", "1");
    parameters.put("reward_rule", RULE);
    parameters.putAll(more);
    return new TrainingSpec(
        Golden.path("models/llama"),
        prompts,
        folder.resolve(out),
        objective,
        method,
        null,
        null,
        null,
        parameters);
  }

  private static void run(TrainingSpec spec) {
    TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
  }

  @ParameterizedTest
  @CsvSource({
    "ppo, 40, num_ppo_epochs=2;kl_coef=0.001;temperature=1",
    "grpo, 25, num_generations=4",
    "rloo, 25, num_generations=4;beta=0.001",
    "reinforce++, 25, kl_coef=0.001"
  })
  void thePolicyLearnsToWriteWhatTheRuleLikes(String objective, String steps, String more)
      throws IOException {
    for (String seed : List.of("1", "2")) {
      Map<String, String> parameters = new HashMap<>(Map.of("seed", seed, "max_steps", steps));
      for (String setting : more.split(";")) {
        parameters.put(setting.split("=")[0], setting.split("=")[1]);
      }
      TrainingSpec spec = spec(objective, objective + seed, parameters);
      run(spec);
      List<JsonNode> lines = metrics(spec);
      assertThat(lines).hasSize(Integer.parseInt(steps));
      double first = mean(lines.subList(0, 5), "reward");
      double last = mean(lines.subList(lines.size() - 5, lines.size()), "reward");
      System.out.println(objective + " " + seed + ": " + first + " -> " + last);
      assertThat(last).as(objective + ", seed " + seed).isGreaterThan(first + 0.2);
    }
  }

  private static double mean(List<JsonNode> lines, String metric) {
    return lines.stream().mapToDouble(line -> line.get(metric).asDouble()).average().orElseThrow();
  }

  private static List<JsonNode> metrics(TrainingSpec spec) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(spec.out().resolve("metrics.jsonl"))) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }
}
