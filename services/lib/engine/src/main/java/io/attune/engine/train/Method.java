package io.attune.engine.train;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What is trained: all weights or some of them, or an adapter of some kind. */
public enum Method {
  LORA("LORA"),
  QLORA("LORA"),
  DORA("LORA"),
  IA3("IA3"),
  VERA("VERA"),
  BOTTLENECK("BOTTLENECK"),
  PROMPT_TUNING("PROMPT_TUNING"),
  PREFIX_TUNING("PREFIX_TUNING"),
  P_TUNING("P_TUNING"),
  FULL(null),
  /** The last layers, or named modules. */
  FREEZE(null),
  /** The biases. */
  BITFIT(null);

  private final @Nullable String peftType;

  Method(@Nullable String peftType) {
    this.peftType = peftType;
  }

  /** The method called {@code name}, as {@code prompt-tuning}; refuses other names. */
  public static Method named(String name) {
    for (Method method : values()) {
      if (method.toString().equals(name)) {
        return method;
      }
    }
    throw new IllegalArgumentException(
        "method '"
            + name
            + "' is not implemented; there are "
            + Arrays.stream(values()).map(Method::toString).collect(Collectors.joining(", ")));
  }

  /** Whether the base model's weights stay as they are. */
  public boolean isAdapter() {
    return peftType != null;
  }

  /** Whether what is trained are tokens before each text. */
  public boolean hasVirtualTokens() {
    return this == PROMPT_TUNING || this == PREFIX_TUNING || this == P_TUNING;
  }

  /** Whether so few weights are trained that they stand a higher learning rate. */
  boolean trainsFew() {
    return isAdapter() || this == BITFIT;
  }

  /** What PEFT calls the kind of adapter. */
  String peftType() {
    return peftType;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
