package io.attune.engine.evaluate;

/**
 * A value and where it would be if other rows of the same kind had been drawn.
 *
 * @param low the confidence interval's lower end
 * @param high its upper end
 */
public record Interval(double value, double low, double high) {}
