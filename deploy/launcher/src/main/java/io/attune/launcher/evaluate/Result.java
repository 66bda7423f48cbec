package io.attune.launcher.evaluate;

import io.attune.engine.evaluate.Interval;
import org.jspecify.annotations.Nullable;

/**
 * A measured value.
 *
 * @param name of the metric
 * @param unit what a row is called
 * @param signature what must be equal for two values to be comparable; may be empty
 * @param baseline the value of the system that it is compared with, or null
 * @param difference value less baseline, over the same resamples, or null
 */
public record Result(
    String name,
    int rows,
    String unit,
    String signature,
    Interval value,
    @Nullable Interval baseline,
    @Nullable Interval difference) {}
