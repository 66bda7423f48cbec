package io.attune.engine.token;

/**
 * A turn of a conversation.
 *
 * @param role such as {@code system}, {@code user} or {@code assistant}; the template decides which
 *     it accepts
 */
public record ChatMessage(String role, String content) {}
