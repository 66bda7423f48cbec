package io.attune.engine.online;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** How a policy learns from its own completions. */
public enum OnlineObjective {
  /** With a value model: Schulman et al., arXiv 1707.06347; Ouyang et al., arXiv 2203.02155. */
  PPO("ppo"),
  /** Completions of a prompt against each other: arXiv 2402.03300. */
  GRPO("grpo"),
  /** Each completion against the others of its prompt: arXiv 2402.14740. */
  RLOO("rloo"),
  /** Each completion against the batch: arXiv 2501.03262. */
  REINFORCE_PLUS_PLUS("reinforce++");

  private final String name;

  OnlineObjective(String name) {
    this.name = name;
  }

  /** Empty for an objective that learns from given rows. */
  public static Optional<OnlineObjective> named(String name) {
    return Arrays.stream(values()).filter(each -> each.name.equals(name)).findFirst();
  }

  /** All names, for messages. */
  public static String all() {
    return Arrays.stream(values()).map(each -> each.name).collect(Collectors.joining(", "));
  }

  /** Whether the divergence from the reference is part of the reward, not of the loss. */
  boolean rewardsCloseness() {
    return this != GRPO;
  }

  /** Whether completions of a prompt are compared, so that each needs siblings. */
  boolean comparesGroups() {
    return this == GRPO || this == RLOO;
  }

  @Override
  public String toString() {
    return name;
  }
}
