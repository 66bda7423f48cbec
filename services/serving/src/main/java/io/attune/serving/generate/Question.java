package io.attune.serving.generate;

import io.attune.platform.identity.Tenant;

/**
 * What a caller asks.
 *
 * @param tenant who asks: lines are its own
 * @param model a line, a line and version as {@code line@3}, or the base model's name; the default
 *     line when empty
 * @param conversationId the conversation that the answer belongs to; a new one when empty
 */
public record Question(
    Tenant tenant, String model, Prompt prompt, Sampling sampling, String conversationId) {}
