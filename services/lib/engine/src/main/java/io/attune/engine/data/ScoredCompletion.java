package io.attune.engine.data;

/**
 * An answer and how good people found it.
 *
 * @param completionIds the answer, end-of-sequence token included, without the prompt
 * @param score higher is better; ratings are in [0, 1]
 */
@SuppressWarnings(
    "ArrayRecordComponent") // read-only by convention; copying every row costs too much
public record ScoredCompletion(int[] promptIds, int[] completionIds, double score) {}
