package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Dpo;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.RewardModeling;
import io.attune.engine.objective.Sft;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs of trl, step by step: loss, norm, rate, metrics, and the weights at the end. */
class TrainingParityTest {
  @TempDir Path folder;

  @Test
  void fullSupervisedFineTuning() throws IOException {
    DecoderModel architecture = Runs.architecture();
    try (Weights weights = Runs.weights(architecture, true)) {
      Policy policy = Policy.ofWeights(architecture, weights, weights);
      train("sft-full", policy, new Sft(), Runs.sftRows("sft-full"), Map.of());
      assertFinal(weights.parameters(), Golden.path("runs/sft-full/final.safetensors"), "");
    }
  }

  @Test
  void supervisedFineTuningWithLora() throws IOException {
    trainAdapter(
        "sft-lora", new Sft(), Runs.sftRows("sft-lora"), Map.of("mean_token_accuracy", 1e-4));
  }

  @Test
  void directPreferenceOptimisation() throws IOException {
    trainAdapter(
        "dpo-sigmoid",
        new Dpo(Dpo.Config.DEFAULT),
        Runs.pairs("dpo-sigmoid"),
        Map.of(
            "rewards/chosen", 1e-3,
            "rewards/rejected", 1e-3,
            "rewards/margins", 1e-3,
            "rewards/accuracies", 1e-9,
            "logps/chosen", 1e-2,
            "logps/rejected", 1e-2));
  }

  @Test
  void rewardModelFromPairs() throws IOException {
    trainAdapter(
        "reward",
        new RewardModeling(new RewardModeling.Config(0.01)),
        Runs.pairs("reward"),
        Map.of("accuracy", 1e-9, "margin", 1e-3, "mean_reward", 1e-3));
  }

  private <E> void trainAdapter(
      String run, Objective<E> objective, List<E> rows, Map<String, Double> metrics)
      throws IOException {
    DecoderModel architecture = Runs.architecture();
    try (Weights weights = Runs.weights(architecture, false);
        Adapter adapter = Runs.adapter(Runs.base(architecture, weights), "runs/" + run + "/init");
        Policy policy = Policy.ofAdapter(architecture, weights, adapter, null)) {
      train(run, policy, objective, rows, metrics);
      assertFinal(
          adapter.parameters(),
          Golden.path("runs/" + run + "/final/adapter_model.safetensors"),
          "base_model.model.");
    }
  }

  private <E> void train(
      String run, Policy policy, Objective<E> objective, List<E> rows, Map<String, Double> metrics)
      throws IOException {
    JsonNode expected = Golden.json("runs/" + run + "/run.json");
    List<StepMetrics> steps = new ArrayList<>();
    new TrainingLoop<>(Runs.arguments(expected), policy, objective, rows)
        .run(folder, run, steps::add, notice -> {}, () -> false);
    assertThat(steps).hasSize(expected.get("steps").size());
    for (int i = 0; i < steps.size(); i++) {
      StepMetrics step = steps.get(i);
      JsonNode reference = expected.get("steps").get(i);
      assertThat(step.loss())
          .as("loss of step %d", i + 1)
          .isCloseTo(reference.get("loss").doubleValue(), within(1e-4));
      assertThat(step.gradNorm())
          .as("norm of step %d", i + 1)
          .isCloseTo(reference.get("grad_norm").doubleValue(), Percentage.withPercentage(0.1));
      assertThat(step.learningRate())
          .isCloseTo(reference.get("learning_rate").doubleValue(), within(1e-12));
      assertThat(step.numTokens()).isEqualTo(reference.get("num_tokens").asLong());
      metrics.forEach(
          (name, tolerance) ->
              assertThat(step.metrics().get(name))
                  .as("%s of step %d", name, step.step())
                  .isCloseTo(reference.get(name).doubleValue(), within(tolerance)));
    }
  }

  private static void assertFinal(Map<String, NDArray> trained, Path expected, String prefix) {
    trained.forEach(
        (name, array) ->
            assertThat(array.toFloatArray())
                .as(name)
                .containsExactly(Golden.tensor(expected, prefix + name), within(1e-4f)));
  }
}
