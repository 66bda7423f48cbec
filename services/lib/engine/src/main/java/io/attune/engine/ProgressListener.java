package io.attune.engine;

import java.util.Map;

/** Hears from long work, such as a training run, on the thread that does it. */
public interface ProgressListener {
  /** For those who do not listen. */
  ProgressListener NONE = (step, total, metrics) -> {};

  /**
   * @param step steps done; in training, optimizer steps
   * @param total steps of the whole work
   * @param metrics in training those of {@code metrics.jsonl}: {@code loss}, {@code grad_norm},
   *     {@code learning_rate}, {@code epoch}, {@code num_tokens}, {@code tokens_per_second}, {@code
   *     peak_memory_bytes} and the objective's own; else empty
   */
  void onStep(int step, int total, Map<String, Double> metrics);

  /** Something that a person should know, such as a damaged checkpoint that was passed over. */
  default void onNotice(String message) {}
}
