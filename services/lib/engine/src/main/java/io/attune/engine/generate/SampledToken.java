package io.attune.engine.generate;

import java.util.List;

/**
 * The token that was chosen.
 *
 * @param logProbability natural logarithm, from the model's own logits: before bias, penalties,
 *     temperature and truncation, unless processed log-probabilities were asked for
 * @param top the likeliest tokens by the model's own logits, likeliest first, as many as were asked
 *     for
 */
public record SampledToken(int id, float logProbability, List<TokenLogProbability> top) {}
