package io.attune.engine.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.JsonFiles;
import java.util.Map;
import java.util.TreeMap;

/**
 * One line of {@code metrics.jsonl}.
 *
 * @param step optimizer steps done, from 1
 * @param gradNorm global norm of the gradients before clipping
 * @param learningRate what this step was made with
 * @param tokens real tokens read in this step, never padding
 * @param numTokens the same since the start of the run
 * @param peakMemoryBytes largest resident size of the process so far
 * @param metrics the objective's own, means over the step
 */
public record StepMetrics(
    int step,
    int totalSteps,
    double epoch,
    double loss,
    double gradNorm,
    double learningRate,
    long tokens,
    long numTokens,
    double tokensPerSecond,
    long peakMemoryBytes,
    Map<String, Double> metrics) {

  /** The same with the metrics of an evaluation after the step, each named {@code eval_}. */
  StepMetrics withEvaluation(Map<String, Double> evaluation) {
    Map<String, Double> all = new TreeMap<>(metrics);
    evaluation.forEach((name, value) -> all.put("eval_" + name, value));
    return new StepMetrics(
        step,
        totalSteps,
        epoch,
        loss,
        gradNorm,
        learningRate,
        tokens,
        numTokens,
        tokensPerSecond,
        peakMemoryBytes,
        all);
  }

  /** All that is worth a curve, by the names of {@code metrics.jsonl}. */
  public Map<String, Double> values() {
    Map<String, Double> values = new TreeMap<>(metrics);
    values.put("epoch", epoch);
    values.put("loss", loss);
    values.put("grad_norm", gradNorm);
    values.put("learning_rate", learningRate);
    values.put("num_tokens", (double) numTokens);
    values.put("tokens_per_second", tokensPerSecond);
    values.put("peak_memory_bytes", (double) peakMemoryBytes);
    return values;
  }

  ObjectNode toJson() {
    ObjectNode json = JsonFiles.newObject();
    json.put("step", step);
    json.put("epoch", epoch);
    json.put("loss", loss);
    json.put("grad_norm", gradNorm);
    json.put("learning_rate", learningRate);
    json.put("tokens", tokens);
    json.put("num_tokens", numTokens);
    json.put("tokens_per_second", tokensPerSecond);
    json.put("peak_memory_bytes", peakMemoryBytes);
    metrics.forEach(json::put);
    return json;
  }
}
