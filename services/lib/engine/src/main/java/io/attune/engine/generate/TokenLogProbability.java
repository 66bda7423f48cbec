package io.attune.engine.generate;

/**
 * How likely the model takes a token to be at one place.
 *
 * @param logProbability natural logarithm, from the model's own logits: before bias, penalties,
 *     temperature and truncation
 */
public record TokenLogProbability(int id, float logProbability) {}
