package io.attune.engine.rollout;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What the losses of tokens are divided by; trl's {@code loss_type}.
 *
 * <p>T_i is the length of completion i, B the number of completions of the step.
 */
public enum LossType {
  /** The sum over T_1 + ... + T_B: a mean over all tokens of the minibatch. */
  PPO,
  /** The mean over completions of the mean over each one's tokens (arXiv 2402.03300, eq. 3). */
  GRPO,
  /** As PPO, but within each micro-batch; these means are averaged. */
  BNPO,
  /**
   * As PPO (arXiv 2503.14476, eq. 8); where a rollout batch is learnt in several steps, each
   * divides by its share of all the batch's tokens.
   */
  DAPO,
  /** The sum over B times a constant length, so that no length is favoured (arXiv 2503.20783). */
  DR_GRPO;

  /**
   * @throws IllegalArgumentException if there is no such type
   */
  public static LossType named(String name) {
    return Arrays.stream(values())
        .filter(type -> type.toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "'loss_type' is %s; implemented are %s"
                        .formatted(
                            name,
                            Arrays.stream(values())
                                .map(LossType::toString)
                                .collect(Collectors.joining(", ")))));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
