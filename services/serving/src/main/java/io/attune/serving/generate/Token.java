package io.attune.serving.generate;

import java.util.List;

/**
 * One token of an answer.
 *
 * @param text what it adds to the text; empty while a character or a possible stop text is
 *     incomplete
 * @param logProbability natural logarithm, under the model at temperature 1 without bias, penalties
 *     and truncation
 * @param top the likeliest tokens at this place, likeliest first, as many as were asked for
 */
public record Token(int id, String text, float logProbability, List<Likely> top) {

  /** A token that might have been chosen, with its log-probability by the same measure. */
  public record Likely(int id, float logProbability) {}
}
