package io.attune.serving.generate;

import io.attune.platform.line.Pin;
import io.attune.serving.generate.Generator.LoadedAdapter;

/**
 * A question whose version is fixed and whose prompt is tokenized. Whoever holds it starts it or
 * closes its pin.
 */
public record Prepared(
    Head head, Prompt prompt, int[] promptIds, Sampling sampling, Pin<LoadedAdapter> pin) {}
