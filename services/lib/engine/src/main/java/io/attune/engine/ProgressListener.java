package io.attune.engine;

import java.util.Map;

/** Hears from a training run, on the thread that runs it. */
public interface ProgressListener {
  /** For those who do not listen. */
  ProgressListener NONE = (step, total, metrics) -> {};

  /**
   * @param step optimizer steps done
   * @param total optimizer steps of the whole run
   * @param metrics {@code loss}, {@code grad_norm}, {@code learning_rate}, {@code
   *     tokens_per_second}, {@code peak_memory_bytes} and the objective's own
   */
  void onStep(int step, int total, Map<String, Double> metrics);

  /** Something that a person should know, such as a damaged checkpoint that was passed over. */
  default void onNotice(String message) {}
}
