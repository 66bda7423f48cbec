package io.attune.engine;

import java.nio.file.Path;
import java.util.Map;

/**
 * What a finished run left behind.
 *
 * @param folder the adapter in PEFT's layout, or the model in Hugging Face's
 * @param steps optimizer steps of the whole run
 * @param metrics of the last step, as in {@code metrics.jsonl}; empty where a finished run was run
 *     again
 * @param evaluation what {@code eval.json} says: {@code candidate} and, if asked for, {@code
 *     baseline}, metrics by name; empty without held-out rows
 */
public record TrainingResult(
    Path folder,
    int steps,
    Map<String, Double> metrics,
    Map<String, Map<String, Double>> evaluation) {}
