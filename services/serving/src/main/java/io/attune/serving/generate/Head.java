package io.attune.serving.generate;

import io.attune.platform.line.LineVersion;

/**
 * What is known of an answer before its first token.
 *
 * @param generationId names the answer for ever: ratings refer to it
 * @param model the name that the caller used
 * @param adapter which version of which line writes it, all of it
 * @param promptTokens how many tokens the prompt has
 */
public record Head(
    String generationId,
    String conversationId,
    String model,
    LineVersion adapter,
    int promptTokens) {}
