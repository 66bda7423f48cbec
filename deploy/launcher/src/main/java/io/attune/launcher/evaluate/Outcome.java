package io.attune.launcher.evaluate;

import java.util.List;

/**
 * What an evaluation found.
 *
 * @param results of each metric
 * @param references the right answer of each row; this and the next two are empty where none was
 *     written
 * @param answers what the model wrote
 * @param baselineAnswers what the baseline wrote; empty without one
 */
public record Outcome(
    List<Result> results,
    List<String> references,
    List<String> answers,
    List<String> baselineAnswers) {}
