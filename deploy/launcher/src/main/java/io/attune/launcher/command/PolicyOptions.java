package io.attune.launcher.command;

import io.attune.engine.PolicyEvaluation;
import io.attune.engine.online.OnlineSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What is good writing, for {@code --task policy}. */
final class PolicyOptions {
  @Option(
      names = "--reward-model",
      paramLabel = "DIR",
      split = ",",
      description = "policy: a reward model that judges what is written; several are added.")
  private List<Path> models = new ArrayList<>();

  @Option(
      names = "--reward-rule",
      paramLabel = "EXPRESSION",
      description = "policy: a rule that judges, as train's reward_rule; may be repeated.")
  private List<String> rules = new ArrayList<>();

  @Option(
      names = "--reward-weights",
      paramLabel = "X",
      split = ",",
      description = "policy: of the reward models and the rules. Default: 1 each.")
  private List<Double> weights = new ArrayList<>();

  @Option(
      names = "--samples",
      paramLabel = "N",
      description = "policy: completions of each prompt. Default: ${DEFAULT-VALUE}.")
  private int samples = 1;

  int samples() {
    return samples;
  }

  boolean used() {
    return !models.isEmpty() || !rules.isEmpty() || !weights.isEmpty() || samples != 1;
  }

  PolicyEvaluation.Settings settings(WritingOptions writing, int maxLength, int batchSize) {
    return new PolicyEvaluation.Settings(
        new OnlineSettings.Sources(models, List.of(), rules, weights),
        new OnlineSettings.Writing(
            writing.drawnTemperature(), writing.maxNewTokens(), batchSize, samples),
        maxLength,
        writing.seed());
  }

  /** What must be equal for two values to be comparable. */
  String signature(WritingOptions writing) {
    return "temperature:%s|max_new_tokens:%d|samples:%d"
        .formatted(writing.drawnTemperature(), writing.maxNewTokens(), samples);
  }
}
