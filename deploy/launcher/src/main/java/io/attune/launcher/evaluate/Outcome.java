package io.attune.launcher.evaluate;

import io.attune.engine.PolicyEvaluation.Written;
import java.util.List;

/**
 * What an evaluation found.
 *
 * @param results of each metric
 * @param references the right answer of each row; this and the next two are empty where none was
 *     written
 * @param answers what the model wrote
 * @param baselineAnswers what the baseline wrote; empty without one
 * @param written completions of a policy; empty where none was judged
 */
public record Outcome(
    List<Result> results,
    List<String> references,
    List<String> answers,
    List<String> baselineAnswers,
    List<Written> written) {

  /** Of metrics that nothing was written for. */
  static Outcome of(List<Result> results) {
    return new Outcome(results, List.of(), List.of(), List.of(), List.of());
  }
}
