package io.attune.engine.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Map;

/**
 * The rule by which gradients change parameters, and what it remembers of earlier gradients.
 *
 * <p>Gradient clipping, learning rates of groups and master weights are {@link GroupedOptimizer}'s.
 * Owns its state's memory. Single-threaded.
 */
public interface Optimizer extends AutoCloseable {

  /**
   * Parameters that are updated alike.
   *
   * @param parameters float32 or bfloat16, changed in place; bfloat16 ones are rounded
   *     stochastically
   * @param gradients as {@code parameters}, float32 or bfloat16
   */
  record Batch(List<String> names, List<NDArray> parameters, List<NDArray> gradients) {}

  /**
   * One update.
   *
   * @param number 1 for the first
   * @param weightDecay decoupled from the gradient: in each step parameters lose {@code
   *     learningRate * weightDecay} of themselves
   */
  record Step(int number, double learningRate, double weightDecay) {
    Step withoutDecay() {
      return new Step(number, learningRate, 0);
    }
  }

  /** Makes the state, zero, of a parameter. */
  void add(String name, Shape shape);

  /**
   * Updates parameters that {@link #add} knows.
   *
   * @param work owns what is made on the way
   */
  void update(NDManager work, Batch batch, Step step);

  /** All that the next update depends on, by name, for a checkpoint; the live arrays. */
  Map<String, NDArray> state();

  /** The learning rate that the rule takes where the schedule says {@code scheduled}. */
  default double learningRate(int step, double scheduled) {
    return scheduled;
  }

  @Override
  void close();
}
