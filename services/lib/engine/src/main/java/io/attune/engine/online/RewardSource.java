package io.attune.engine.online;

import java.util.List;

/**
 * Says how good completions are. Implementations of one's own are found by {@link
 * java.util.ServiceLoader}: a class with a public constructor without parameters, on the class path
 * and named in {@code META-INF/services/io.attune.engine.online.RewardSource}; the setting {@code
 * reward_function} chooses them by {@link #name}.
 *
 * <p>A run calls it from one thread. What it answers should follow from the completions alone: a
 * run that is resumed asks again.
 */
public interface RewardSource extends AutoCloseable {

  /** In metrics ({@code rewards/NAME/mean}) and settings. */
  String name();

  /**
   * A finite number for each completion, in order; more is better.
   *
   * @param rollouts completions of some prompts, those of a prompt side by side
   */
  double[] score(List<Rollout> rollouts);

  /** Called once, after the last completions. */
  @Override
  default void close() {}
}
