package io.attune.engine.online;

/**
 * A completion that the policy wrote to a prompt.
 *
 * @param completionIds at least one token; the end-of-sequence token last, if it was written
 * @param completion their text, without special tokens
 * @param ended whether it ended by itself, and was not cut off
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
public record Rollout(Prompt prompt, int[] completionIds, String completion, boolean ended) {}
