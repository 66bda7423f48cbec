package io.attune.launcher.demo;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** What the demo's policy learns by; the names are those of the settings and of the option. */
public enum DemoObjective {
  /** From pairs of rated answers. */
  DPO,
  /** In rounds, with a value model. */
  PPO,
  /** In rounds, each answer against the others to its prompt. */
  GRPO,
  /** Likewise, with a leave-one-out baseline. */
  RLOO;

  /**
   * Settings of the trigger's policy job beside those that all objectives have.
   *
   * @param prefix of the trigger's settings
   * @param width of the model that the learning rates were chosen for, divided by this one's
   */
  Map<String, String> settings(String prefix, double width) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put(prefix + "policy-objective", toString());
    if (this == DPO) {
      return settings;
    }
    String policy = prefix + "policy.";
    settings.put(policy + "arguments.learning_rate", Double.toString(3e-4 * width));
    settings.put(policy + "arguments.gradient_accumulation_steps", "4");
    settings.put(policy + "arguments.max_steps", "40");
    settings.put(policy + "rollouts.max_completion_length", "80");
    settings.put(policy + "objective.num_generations", "4");
    if (this == PPO) {
      settings.put(policy + "objective.num_ppo_epochs", "2");
    }
    return settings;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
