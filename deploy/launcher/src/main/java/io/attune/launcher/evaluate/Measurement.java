package io.attune.launcher.evaluate;

import io.attune.engine.evaluate.Metric;
import io.attune.engine.evaluate.Statistics;

/**
 * A metric, and what it needs to know of each row.
 *
 * @param signature what must be equal for two values to be comparable; may be empty
 * @param unit what a row is called
 */
public record Measurement(Metric metric, Statistics rows, String signature, String unit) {}
