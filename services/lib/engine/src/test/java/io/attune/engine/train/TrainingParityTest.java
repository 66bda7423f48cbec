package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.RewardModeling;
import io.attune.engine.objective.RewardPair;
import io.attune.engine.objective.Sft;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
      Runs.assertWeights(weights.parameters(), Golden.path("runs/sft-full/final.safetensors"), "");
    }
  }

  @Test
  void supervisedFineTuningWithLora() throws IOException {
    trainAdapter(
        "sft-lora", new Sft(), Runs.sftRows("sft-lora"), Map.of("mean_token_accuracy", 1e-4));
  }

  @Test
  void rewardModelFromPairs() throws IOException {
    trainAdapter(
        "reward",
        new RewardModeling(new RewardModeling.Config(0.01)),
        Runs.pairs("reward").stream().map(RewardPair::of).toList(),
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
      Runs.assertWeights(
          adapter.parameters(),
          Golden.path("runs/" + run + "/final/adapter_model.safetensors"),
          "base_model.model.");
    }
  }

  private <E> void train(
      String run, Policy policy, Objective<E> objective, List<E> rows, Map<String, Double> metrics)
      throws IOException {
    List<StepMetrics> steps = Runs.follow(run, policy, objective, rows, folder);
    JsonNode expected = Golden.json("runs/" + run + "/run.json").get("steps");
    for (int i = 0; i < steps.size(); i++) {
      StepMetrics step = steps.get(i);
      JsonNode reference = expected.get(i);
      assertThat(step.numTokens()).isEqualTo(reference.get("num_tokens").asLong());
      metrics.forEach(
          (name, tolerance) ->
              assertThat(step.metrics().get(name))
                  .as("%s of step %d", name, step.step())
                  .isCloseTo(reference.get(name).doubleValue(), within(tolerance)));
    }
  }
}
