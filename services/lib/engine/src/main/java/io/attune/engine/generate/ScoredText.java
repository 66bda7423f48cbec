package io.attune.engine.generate;

/**
 * A text that a beam search found.
 *
 * @param tokens without the decoder's start token; with the token that ended it, where one did
 * @param score its log-probability divided by its number of tokens to the power of the length
 *     penalty
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
public record ScoredText(int[] tokens, float score) {}
