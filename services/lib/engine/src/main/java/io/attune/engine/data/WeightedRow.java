package io.attune.engine.data;

/**
 * A row, and how much it counts in training: its loss is multiplied by the weight.
 *
 * @param weight above 0; 1 where the row says nothing
 */
public record WeightedRow(Row row, double weight) {}
