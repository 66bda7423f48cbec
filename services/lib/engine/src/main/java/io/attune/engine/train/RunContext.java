package io.attune.engine.train;

import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Where a run is kept, and who hears of it.
 *
 * @param folder of metrics and checkpoints
 * @param fingerprint identifies the run; a checkpoint of another one is refused
 * @param steps hears of every step
 * @param notices hears what a person should know
 * @param cancelled asked between steps
 */
public record RunContext(
    Path folder,
    String fingerprint,
    Consumer<StepMetrics> steps,
    Consumer<String> notices,
    BooleanSupplier cancelled) {}
