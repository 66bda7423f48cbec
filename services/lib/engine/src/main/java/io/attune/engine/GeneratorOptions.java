package io.attune.engine;

import io.attune.engine.EngineException.Reason;

/**
 * How a generator works.
 *
 * @param slots texts that are written at the same time
 * @param capacity tokens of a text at most, prompt included; the model's context is the other limit
 */
public record GeneratorOptions(int slots, int capacity) {
  public GeneratorOptions {
    if (slots < 1 || capacity < 2) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "a generator needs at least 1 slot and a capacity of at least 2 tokens; got "
              + slots
              + " and "
              + capacity);
    }
  }

  public static GeneratorOptions defaults() {
    return new GeneratorOptions(16, 2048);
  }
}
