package io.attune.engine.nn;

import ai.djl.ndarray.NDArray;
import org.jspecify.annotations.Nullable;

/**
 * What turns hidden states into logits: cap(h W^T + b).
 *
 * @param weight [V, E]
 * @param bias [V], or null
 * @param softcap bounds logits to +-softcap by a tanh (Gemma 2); 0 for none
 */
public record Head(NDArray weight, @Nullable NDArray bias, double softcap) {
  public static Head of(NDArray weight) {
    return new Head(weight, null, 0);
  }
}
