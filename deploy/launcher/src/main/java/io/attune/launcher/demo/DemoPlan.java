package io.attune.launcher.demo;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How large the demo's round is.
 *
 * @param seed makes questions, draws and raters repeatable
 * @param questions that are asked and rated
 * @param samples answers to each of them
 * @param raters simulated raters, each of whom rates every answer
 * @param heldOut questions that are never rated before the end
 */
public record DemoPlan(long seed, int questions, int samples, int raters, int heldOut) {
  /** The policy line that the demo improves. */
  static final String LINE = "assistant";

  /** The width of the bundled model, for which the learning rates were chosen. */
  private static final double HIDDEN_SIZE = 192;

  /** The demo as `attune demo` runs it: half as many held-out questions as rated ones. */
  public static DemoPlan standard(long seed, int questions) {
    return new DemoPlan(seed, questions, 4, 2, questions / 2);
  }

  /** Ratings that the simulated raters send in all. */
  int ratings() {
    return questions * samples * raters;
  }

  /**
   * Configuration of the training service: one round, when all ratings have arrived.
   *
   * @param hiddenSize of the base model; a wider one takes smaller steps, of which its reward model
   *     needs the smallest: each step moves a score by a sum over the whole hidden state
   * @param objective what the policy learns by
   */
  public Map<String, String> trainingSettings(int hiddenSize, DemoObjective objective) {
    double width = HIDDEN_SIZE / hiddenSize;
    Map<String, String> settings = new LinkedHashMap<>();
    String trigger = "attune.training.trigger.";
    settings.put(trigger + "line", LINE);
    settings.put(trigger + "ratings", Integer.toString(ratings()));
    String reward = trigger + "reward.arguments.";
    settings.put(reward + "learning_rate", Double.toString(2e-3 * width * width));
    settings.put(reward + "per_device_train_batch_size", "16");
    settings.put(reward + "gradient_accumulation_steps", "1");
    settings.put(reward + "num_train_epochs", "3");
    settings.put(reward + "max_length", "256");
    settings.put(reward + "seed", Long.toString(seed));
    String policy = trigger + "policy.arguments.";
    settings.put(policy + "learning_rate", Double.toString(1e-3 * width));
    settings.put(policy + "per_device_train_batch_size", "16");
    settings.put(policy + "gradient_accumulation_steps", "1");
    settings.put(policy + "num_train_epochs", "1");
    settings.put(policy + "max_length", "256");
    settings.put(policy + "seed", Long.toString(seed));
    settings.putAll(objective.settings(trigger, width));
    return settings;
  }

  /** Who rates, and by what. */
  public List<String> rubricLines() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "The raters of this demo are SIMULATED. Their rubric, of which each score is the share");
    lines.add("earned, with some noise:");
    Rubric.lines().forEach(line -> lines.add("  " + line));
    lines.add("");
    return lines;
  }
}
