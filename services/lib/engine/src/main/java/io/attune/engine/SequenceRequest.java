package io.attune.engine;

import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.generate.TokenConstraints;
import org.jspecify.annotations.Nullable;

/**
 * One text to turn into another.
 *
 * @param source token ids that the encoder reads, at least one
 * @param adapter null for the base model; stays open until the listener's last call
 * @param sampling its penalties count what is written, not the source
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
public record SequenceRequest(
    int[] source,
    @Nullable LoadedSequenceAdapter adapter,
    SamplingParameters sampling,
    TokenConstraints constraints) {}
