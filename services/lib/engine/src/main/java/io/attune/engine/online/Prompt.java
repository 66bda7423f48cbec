package io.attune.engine.online;

import io.attune.engine.data.Row;

/**
 * A prompt of the data, as the policy reads it.
 *
 * @param text of the prompt, as the chat template writes it where it has turns
 * @param ids at least one token
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
public record Prompt(Row.Prompt row, String text, int[] ids) {}
