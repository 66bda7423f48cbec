package io.attune.serving.generate;

/**
 * One token of an answer.
 *
 * @param text what it adds to the text; empty while a character or a possible stop text is
 *     incomplete
 * @param logProbability natural logarithm, under the model at temperature 1 without truncation
 */
public record Token(int id, String text, float logProbability) {}
