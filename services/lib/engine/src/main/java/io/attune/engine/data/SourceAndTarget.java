package io.attune.engine.data;

/**
 * A text, and the one that it is to become: a translation, a summary.
 *
 * @param sourceIds what an encoder reads
 * @param targetIds what a decoder is to write, end-of-sequence token included
 */
@SuppressWarnings(
    "ArrayRecordComponent") // read-only by convention; copying every row costs too much
public record SourceAndTarget(int[] sourceIds, int[] targetIds) {}
