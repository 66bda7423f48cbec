package io.attune.engine.rollout;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a probability ratio is taken of; trl's {@code importance_sampling_level}. */
public enum ImportanceSamplingLevel {
  /** Each token by itself: PPO, GRPO. */
  TOKEN,
  /** The geometric mean over a completion's tokens, for all of them: GSPO (arXiv 2507.18071). */
  SEQUENCE,
  /** The product over a completion's tokens, for all of them: RLOO (arXiv 2402.14740). */
  TRAJECTORY;

  /**
   * @throws IllegalArgumentException if there is no such level
   */
  public static ImportanceSamplingLevel named(String name) {
    return Arrays.stream(values())
        .filter(level -> level.toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "'importance_sampling_level' is %s; implemented are %s"
                        .formatted(
                            name,
                            Arrays.stream(values())
                                .map(ImportanceSamplingLevel::toString)
                                .collect(Collectors.joining(", ")))));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
