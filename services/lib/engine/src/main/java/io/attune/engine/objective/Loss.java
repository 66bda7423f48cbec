package io.attune.engine.objective;

/**
 * Result of an objective on a micro-batch.
 *
 * @param value its share of the step's loss
 * @param gradient derivative of the loss with respect to each value of each policy reading
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never kept
public record Loss(double value, double[][] gradient, Metrics metrics) {}
