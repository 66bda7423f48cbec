package io.attune.engine;

import io.attune.engine.generate.SamplingParameters;
import org.jspecify.annotations.Nullable;

/**
 * One text to continue.
 *
 * @param promptTokens at least one
 * @param adapter null for the base model; stays open until the listener's last call
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
public record GenerationRequest(
    int[] promptTokens, @Nullable LoadedAdapter adapter, SamplingParameters sampling) {}
