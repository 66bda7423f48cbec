package io.attune.engine;

import io.attune.engine.generate.TokenLogProbability;
import java.util.List;

/**
 * One token of a text.
 *
 * @param text what became certain of the text; empty while a character or a possible stop text is
 *     incomplete, and for the token that ends the text
 * @param logProbability natural logarithm, from the model's own logits: before bias, penalties,
 *     temperature and truncation, unless processed log-probabilities were asked for
 * @param top the likeliest tokens at this place by the model's own logits, likeliest first, as many
 *     as were asked for
 */
public record GeneratedToken(
    int id, String text, float logProbability, List<TokenLogProbability> top) {}
