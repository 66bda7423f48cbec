package io.attune.engine;

/**
 * A whole text.
 *
 * @param text without the stop text that ended it
 * @param stopped whether the model or a stop text ended it; else the limit of tokens did
 */
public record CompletedGeneration(String text, boolean stopped) {}
