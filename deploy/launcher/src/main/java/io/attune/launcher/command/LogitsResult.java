package io.attune.launcher.command;

import java.util.OptionalDouble;

/**
 * What {@code attune logits} writes.
 *
 * @param name of the tensor: {@code logits}, or what a model without a head gives instead
 * @param values row-major, zeros where there was padding
 * @param loss empty where the input had no labels
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
record LogitsResult(String name, long[] shape, float[] values, OptionalDouble loss) {
  LogitsResult(long[] shape, float[] logits, OptionalDouble loss) {
    this("logits", shape, logits, loss);
  }
}
