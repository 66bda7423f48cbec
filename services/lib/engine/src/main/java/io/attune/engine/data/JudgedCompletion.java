package io.attune.engine.data;

/**
 * An answer with a thumb up or down.
 *
 * @param completionIds the answer, end-of-sequence token included, without the prompt
 */
@SuppressWarnings(
    "ArrayRecordComponent") // read-only by convention; copying every row costs too much
public record JudgedCompletion(int[] promptIds, int[] completionIds, boolean desirable) {}
