package io.attune.engine.objective;

/**
 * An example, and how much it counts.
 *
 * @param weight what its loss is multiplied by, above 0
 */
public record WeightedExample<E>(E example, double weight) {}
