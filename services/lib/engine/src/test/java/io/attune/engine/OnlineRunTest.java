package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.online.RewardSource;
import io.attune.engine.online.Rollout;
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

  private TrainingSpec spec(String objective, String method, String out, Map<String, String> more) {
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
      assertThat(last).as(objective + ", seed " + seed).isGreaterThan(first + 0.2);
    }
  }

  /** Several updates an iteration, and all that an iteration leaves to the next. */
  private static final Map<String, String> REMEMBERS =
      Map.of(
          "num_ppo_epochs", "2",
          "num_mini_batches", "2",
          "gradient_accumulation_steps", "1",
          "adap_kl_ctrl", "true",
          "horizon", "40",
          "target_kl", "0.01",
          "normalize_rewards", "running",
          "missing_eos_penalty", "0.1",
          "max_steps", "18", // the last iteration is cut short
          "save_steps", "3");

  @Test
  void anInterruptedRunEndsWithTheSameBytes() throws IOException {
    TrainingSpec whole = spec("ppo", "whole", REMEMBERS);
    run(whole);

    // A power cut amid the third iteration: what was done since the second one is lost.
    TrainingSpec cut = spec("ppo", "cut", REMEMBERS);
    List<Integer> seen = new ArrayList<>();
    ProgressListener powerCut =
        (step, total, metrics) -> {
          seen.add(step);
          if (seen.size() == 10) {
            throw new IllegalStateException("power cut");
          }
        };
    assertThatThrownBy(() -> TrainingRun.run(cut, powerCut, CancelSignal.NEVER))
        .hasMessage("power cut");
    TrainingRun.run(cut, powerCut, CancelSignal.NEVER);
    assertThat(seen)
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18);
    assertSame(whole, cut);

    // A cancel waits for the end of the iteration and loses nothing.
    TrainingSpec cancelled = spec("ppo", "cancelled", REMEMBERS);
    seen.clear();
    ProgressListener listener = (step, total, metrics) -> seen.add(step);
    assertThatThrownBy(() -> TrainingRun.run(cancelled, listener, () -> seen.size() >= 5))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("cancelled after step 8");
    TrainingRun.run(cancelled, listener, CancelSignal.NEVER);
    assertThat(seen).hasSize(18).doesNotHaveDuplicates();
    assertSame(whole, cancelled);
    assertThat(metrics(whole).get(4).get("objective/kl_coef").asDouble()).isNotEqualTo(0.2);
  }

  private static void assertSame(TrainingSpec whole, TrainingSpec resumed) throws IOException {
    for (String file :
        List.of(
            "adapter_model.safetensors",
            "value/adapter_model.safetensors",
            "checkpoint-18/training_state.safetensors",
            "checkpoint-18/trainer_state.json")) {
      assertThat(resumed.out().resolve(file)).hasSameBinaryContentAs(whole.out().resolve(file));
    }
    assertThat(withoutClock(resumed)).isEqualTo(withoutClock(whole));
  }

  private static List<JsonNode> withoutClock(TrainingSpec spec) throws IOException {
    List<JsonNode> lines = metrics(spec);
    lines.forEach(
        line -> ((ObjectNode) line).remove(List.of("tokens_per_second", "peak_memory_bytes")));
    return lines;
  }

  @ParameterizedTest
  @ValueSource(strings = {"ppo", "grpo", "rloo", "reinforce++"})
  void theFirstUpdateStartsFromThePolicyThatWrote(String objective) throws IOException {
    Map<String, String> more = new HashMap<>(Map.of("max_steps", "1"));
    if (objective.equals("grpo")) {
      more.putAll(Map.of("beta", "0.1", "num_iterations", "2"));
    }
    TrainingSpec spec = spec(objective, "first", more);
    run(spec);
    JsonNode first = metrics(spec).get(0);
    assertThat(first.get("val/ratio").asDouble()).isEqualTo(1);
    assertThat(first.get("policy/approxkl_avg").asDouble()).isZero();
    assertThat(first.get("objective/kl").asDouble()).isCloseTo(0, within(1e-6));
    assertThat(first.get("policy/entropy_avg").asDouble())
        .isCloseTo(Math.log(380), within(objective.equals("ppo") ? 0.6 : 0.3));
    if (objective.equals("ppo")) {
      // Values begin at zero: they foresee nothing of what follows.
      assertThat(first.get("val/explained_variance").asDouble()).isCloseTo(0, within(1e-9));
      assertThat(first.get("val/clipfrac_avg").asDouble()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"ppo, full", "grpo, full", "grpo, freeze"})
  void theModelsOwnWeightsLearnToo(String objective, String method) throws IOException {
    Map<String, String> more =
        new HashMap<>(Map.of("beta", "0.01", "max_steps", "25", "num_generations", "4", "r", "2"));
    more.put("learning_rate", "1e-2");
    more.put("alarm_kl", "0"); // all weights move far at such a rate
    if (objective.equals("ppo")) {
      more.keySet().remove("beta");
      more.putAll(Map.of("num_ppo_epochs", "2", "temperature", "1", "max_steps", "50"));
    }
    if (method.equals("freeze")) {
      more.put("freeze_extra_modules", "lm_head");
    }
    TrainingSpec spec = spec(objective, method, objective + method, more);
    run(spec);
    List<JsonNode> lines = metrics(spec);
    assertThat(mean(lines.subList(lines.size() - 5, lines.size()), "reward"))
        .isGreaterThan(mean(lines.subList(0, 5), "reward") + 0.1);
    try (LanguageModel model = LanguageModel.load(spec.out(), LoadOptions.defaults());
        SafeTensors file = SafeTensors.open(spec.out().resolve("model.safetensors"))) {
      assertThat(file.names()).hasSize(21);
      assertThat(model.logits(List.of(new int[] {5, 6}), null, false).get(0)).hasSize(2 * 380);
    }
  }

  @Test
  void heldOutPromptsAreMeasured() throws IOException {
    TrainingSpec plain =
        spec("rloo", "watched", Map.of("eval_strategy", "steps", "eval_steps", "2"));
    TrainingSpec spec =
        new TrainingSpec(
            plain.model(),
            plain.data(),
            plain.out(),
            plain.objective(),
            plain.method(),
            null,
            prompts,
            null,
            plain.parameters());
    TrainingResult result = TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
    assertThat(metrics(spec).get(1).get("eval_reward").isNumber()).isTrue();
    assertThat(metrics(spec).get(2).has("eval_reward")).isFalse();
    assertThat(result.evaluation().get("candidate"))
        .containsEntry("rows", 16.0)
        .containsEntry("reward", metrics(spec).get(3).get("eval_reward").asDouble());
  }

  @Test
  void aPolicyThatGoesAstrayIsStopped() {
    assertStopped(
        spec("rloo", "far", Map.of("alarm_kl", "1e-9", "max_steps", "12")),
        "step 4: the policy strays",
        "kl_coef",
        "alarm_kl");
    assertStopped(
        spec(
            "grpo",
            "same",
            Map.of(
                "alarm_entropy_factor",
                "0.9",
                "alarm_rollout_steps",
                "2",
                "max_steps",
                "60",
                "num_generations",
                "4")),
        "the policy writes always the same",
        "The last good checkpoint is",
        "alarm_entropy_factor");
    assertStopped(
        spec(
            "reinforce++",
            "short",
            Map.of(
                "reward_rule",
                "-completion_tokens",
                "alarm_length_factor",
                "1.5",
                "alarm_rollout_steps",
                "2",
                "max_steps",
                "80")),
        "completions have a mean length of",
        "alarm_length_factor");
  }

  private static void assertStopped(TrainingSpec spec, String... said) {
    assertThatThrownBy(() -> run(spec))
        .isInstanceOfSatisfying(
            EngineException.class,
            e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.DIVERGED))
        .hasMessageContainingAll(said);
  }

  @Test
  void whatDoesNotFitIsRefusedByName() {
    assertRefused("grpo", Map.of("reward_rule", "(1"), "'reward_rule' (1");
    assertRefused("grpo", Map.of("reward_rule", ""), "'reward_model'");
    assertRefused("grpo", Map.of("num_generations", "1"), "'num_generations' is 1");
    assertRefused("grpo", Map.of("num_generations", "5"), "num_generations (5)");
    assertRefused("grpo", Map.of("num_ppo_epochs", "2"), "'num_ppo_epochs'");
    assertRefused("ppo", Map.of("num_iterations", "2"), "'num_iterations'");
    assertRefused("grpo", Map.of("loss_type", "sigmoid"), "'loss_type' is sigmoid");
    assertRefused("grpo", Map.of("steps_per_generation", "3"), "'steps_per_generation' is 3");
    assertRefused("rloo", Map.of("temperature", "0"), "'temperature' is 0");
    assertRefused("ppo", Map.of("max_completion_length", "128"), "'max_completion_length' is 128");
    assertRefused("ppo", Map.of("lora_dropout", "0.1"), "'lora_dropout' is 0.1");
    assertRefused("ppo", Map.of("init_lora_weights", "pissa"), "'init_lora_weights' is pissa");
    assertRefused("rloo", Map.of("reward_function", "none-such"), "'none-such'");
    assertRefused("rloo", Map.of("reward_model", "/nowhere"), "/nowhere");
    assertRefused("rloo", Map.of("reward_weights", "1,2"), "'reward_weights' has 2");
  }

  private void assertRefused(String objective, Map<String, String> more, String name) {
    assertThatThrownBy(() -> run(spec(objective, "x", more)))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(name);
  }

  @Test
  void rewardsOfOnesOwnAreFoundOnTheClassPath() throws IOException {
    TrainingSpec spec =
        spec("rloo", "own", Map.of("reward_function", "vowels", "reward_weights", "1,0"));
    run(spec);
    assertThat(metrics(spec).get(0).get("rewards/vowels/mean").asDouble())
        .isEqualTo(metrics(spec).get(0).get("reward").asDouble());
  }

  /** Listed in {@code META-INF/services}. */
  public static final class Vowels implements RewardSource {
    @Override
    public String name() {
      return "vowels";
    }

    @Override
    public double[] score(List<Rollout> rollouts) {
      return rollouts.stream()
          .mapToDouble(r -> r.completion().chars().filter(c -> "aeiou".indexOf(c) >= 0).count())
          .toArray();
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
