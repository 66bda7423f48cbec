package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.data.Content;
import io.attune.engine.data.Row;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.online.OnlineLoop;
import io.attune.engine.online.OnlineObjective;
import io.attune.engine.online.OnlineSettings;
import io.attune.engine.online.Prompt;
import io.attune.engine.online.RewardSource;
import io.attune.engine.online.Rewards;
import io.attune.engine.online.Rollout;
import io.attune.engine.optim.AdamW;
import io.attune.engine.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Steps of trl's GRPO trainer over given completions and rewards, made by {@code
 * golden/online/make_online.py}: loss, norm, metrics, and the weights at the end.
 */
class OnlineParityTest {
  private static final int END = 2;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"grpo", "grpo-iterations", "dr-grpo", "gspo"})
  void stepsAreThoseOfTrl(String run) throws IOException {
    JsonNode expected = Golden.json("online/" + run + ".json");
    DecoderModel architecture = Runs.architecture();
    List<StepMetrics> steps = new ArrayList<>();
    try (Weights weights = Runs.weights(architecture, false);
        Adapter adapter = Runs.adapter(Runs.base(architecture, weights), "runs/sft-lora/init");
        Policy policy = Policy.ofAdapter(architecture, weights, adapter, null)) {
      loop(expected, policy)
          .run(new RunContext(folder, run, steps::add, notice -> {}, () -> false));
      Path trained = Golden.path("online/" + run + ".safetensors");
      adapter
          .parameters()
          .forEach(
              (name, array) ->
                  assertThat(array.toFloatArray())
                      .as(name)
                      .containsExactly(
                          Golden.tensor(trained, "base_model.model." + name), within(1e-4f)));
    }
    assertThat(steps).hasSize(expected.get("steps").size());
    for (int i = 0; i < steps.size(); i++) {
      compare(steps.get(i), expected.get("steps").get(i));
    }
  }

  private static void compare(StepMetrics step, JsonNode expected) {
    assertThat(step.loss())
        .as("loss of step %d", step.step())
        .isCloseTo(expected.get("loss").doubleValue(), within(1e-5));
    assertThat(step.gradNorm())
        .as("norm of step %d", step.step())
        .isCloseTo(expected.get("grad_norm").doubleValue(), Percentage.withPercentage(0.1));
    assertThat(step.learningRate())
        .isCloseTo(expected.get("learning_rate").doubleValue(), within(1e-12));
    Map<String, String> names = new HashMap<>();
    for (String name :
        List.of(
            "kl",
            "reward",
            "reward_std",
            "frac_reward_zero_std",
            "completions/mean_length",
            "completions/clipped_ratio",
            "completions/mean_terminated_length",
            "clip_ratio/low_mean",
            "clip_ratio/high_mean")) {
      names.put(name, name);
    }
    names.put("entropy", "policy/entropy_avg");
    // trl averages the means of micro-batches, which hold unequally many tokens.
    Set<String> ofTokens = Set.of("kl", "entropy", "clip_ratio/low_mean", "clip_ratio/high_mean");
    names.forEach(
        (theirs, ours) -> {
          if (expected.has(theirs)) {
            assertThat(step.metrics().get(ours))
                .as("%s of step %d", ours, step.step())
                .isCloseTo(
                    expected.get(theirs).doubleValue(),
                    within(ofTokens.contains(theirs) ? 1e-2 : 1e-4));
          }
        });
  }

  private static OnlineLoop loop(JsonNode expected, Policy policy) {
    Map<String, String> parameters = new HashMap<>();
    expected
        .get("settings")
        .fields()
        .forEachRemaining(e -> parameters.put(e.getKey(), e.getValue().asText()));
    parameters.put("num_generations", "4");
    parameters.put("max_completion_length", "7");
    parameters.put("temperature", "0.8");
    parameters.put("reward_rule", "0");
    TrainingArguments arguments =
        new TrainingArguments(
            5e-3,
            LearningRate.named("linear", Map.of()),
            0,
            4,
            2,
            expected.get("steps").size(),
            1,
            adamW(),
            1,
            false,
            0,
            1);
    List<Prompt> prompts = new ArrayList<>();
    for (JsonNode iteration : expected.get("iterations")) {
      for (int i = 0; i < iteration.get("prompt_ids").size(); i += 4) {
        prompts.add(
            new Prompt(
                new Row.Prompt(new Content.Text(""), Map.of()),
                "",
                Golden.ints(iteration.get("prompt_ids").get(i))));
      }
    }
    return new OnlineLoop(
        arguments,
        OnlineSettings.parse(new Parameters(parameters), OnlineObjective.GRPO, arguments),
        new OnlineLoop.Roles(policy, null, new Rewards(List.of(given(expected)), List.of())),
        (asked, each, purpose, number) ->
            completions(asked, expected.get("iterations").get(number).get("completion_ids")),
        prompts,
        new OnlineLoop.Watch(AlarmSettings.DEFAULT, EvaluationArguments.NONE, List.of()));
  }

  /** With an epsilon that keeps rounding out of weights whose gradient is next to nothing. */
  private static OptimizerSettings adamW() {
    OptimizerSettings plain = OptimizerSettings.adamW(0.01);
    return new OptimizerSettings(
        plain.optim(),
        new AdamW.Config(0.9, 0.999, 1e-5),
        plain.adafactor(),
        plain.galore(),
        plain.targetModules(),
        plain.groups(),
        plain.maxGradNorm(),
        plain.narrow());
  }

  private static List<Rollout> completions(List<Prompt> prompts, JsonNode completions) {
    List<Rollout> rollouts = new ArrayList<>();
    for (int i = 0; i < completions.size(); i++) {
      int[] ids = Golden.ints(completions.get(i));
      rollouts.add(new Rollout(prompts.get(i / 4), ids, "", ids[ids.length - 1] == END));
    }
    return rollouts;
  }

  private static RewardSource given(JsonNode expected) {
    return new RewardSource() {
      private int iteration;

      @Override
      public String name() {
        return "given";
      }

      @Override
      public double[] score(List<Rollout> rollouts) {
        JsonNode scores = expected.get("iterations").get(iteration++).get("score");
        double[] result = new double[scores.size()];
        for (int i = 0; i < result.length; i++) {
          result[i] = scores.get(i).doubleValue();
        }
        return result;
      }
    };
  }
}
