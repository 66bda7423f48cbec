package io.attune.launcher.command;

import java.util.OptionalDouble;

/**
 * What {@code attune logits} writes.
 *
 * @param logits row-major, zeros where there was padding
 * @param loss empty where the input had no labels
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
record LogitsResult(long[] shape, float[] logits, OptionalDouble loss) {}
