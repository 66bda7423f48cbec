package io.attune.training.trigger;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.training.Messages;
import io.attune.training.TrainingConfig.JobSettings;
import io.attune.training.TrainingConfig.Trigger;
import io.attune.training.job.SpecRules;
import io.attune.training.v1.TrainingSpec;
import java.util.Map;

/** The two jobs of a round, made from settings whose names are those of TrainingSpec. */
final class RoundSpecs {
  private static final ObjectMapper JSON = new ObjectMapper();

  private RoundSpecs() {}

  /** The job that trains the reward model. */
  static TrainingSpec reward(Trigger trigger) {
    return make(trigger.rewardLine(), trigger, "reward", trigger.reward());
  }

  /** The job that trains the policy. */
  static TrainingSpec policy(Trigger trigger) {
    return make(trigger.line().orElseThrow(), trigger, trigger.policyObjective(), trigger.policy());
  }

  private static TrainingSpec make(
      String line, Trigger trigger, String objective, JobSettings settings) {
    ObjectNode spec = JSON.createObjectNode();
    spec.put("line", line).put("dataset", trigger.dataset());
    spec.set(objective, node(settings.objective()));
    if (!settings.rollouts().isEmpty()) {
      spec.set("rollouts", node(settings.rollouts()));
    }
    spec.set("lora", lora(settings.lora()));
    spec.set("arguments", node(settings.arguments()));
    spec.set("ratings", node(settings.ratings()));
    try {
      TrainingSpec made = Messages.fromJson(spec.toString(), TrainingSpec.newBuilder()).build();
      return SpecRules.check(made);
    } catch (PlatformException e) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "The settings attune.training.trigger.* make no job of line "
              + line
              + ": "
              + e.getMessage());
    }
  }

  private static ObjectNode node(Map<String, String> fields) {
    ObjectNode node = JSON.createObjectNode();
    fields.forEach(node::put);
    return node;
  }

  /** The one list among the settings is written with commas. */
  private static ObjectNode lora(Map<String, String> fields) {
    ObjectNode node = node(fields);
    String modules = fields.get("target_modules");
    if (modules != null) {
      node.remove("target_modules");
      for (String module : modules.split(",")) {
        node.withArray("target_modules").add(module.strip());
      }
    }
    return node;
  }
}
