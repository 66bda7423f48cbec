package io.attune.engine.gguf;

import java.util.Arrays;
import java.util.Optional;

/** The architectures that are imported, by the name that GGUF and transformers share. */
enum ModelFamily {
  LLAMA("llama", "LlamaForCausalLM"),
  QWEN2("qwen2", "Qwen2ForCausalLM"),
  QWEN3("qwen3", "Qwen3ForCausalLM");

  private final String architecture;
  private final String className;

  ModelFamily(String architecture, String className) {
    this.architecture = architecture;
    this.className = className;
  }

  static Optional<ModelFamily> of(String architecture) {
    return Arrays.stream(values()).filter(f -> f.architecture.equals(architecture)).findFirst();
  }

  String architecture() {
    return architecture;
  }

  /** The class in transformers. */
  String className() {
    return className;
  }

  /**
   * Whether the rows of queries and keys are stored so that the two numbers that a rotary position
   * turns are neighbours; transformers has them half a head apart.
   */
  boolean neighbouringPairs() {
    return this == LLAMA;
  }

  /** Whether queries and keys are normalised per head. */
  boolean queryKeyNorm() {
    return this == QWEN3;
  }
}
