package io.attune.engine.model;

import ai.djl.ndarray.NDArray;

/** A pass through a network that is recorded for a backward pass. */
public interface Pass {
  /** Hidden states after the last layer, [N, E]. */
  NDArray hidden();

  /**
   * Carries the gradient that a backward pass has left at {@link #hidden} on to the leaves: to be
   * called once, after it.
   */
  void backward();

  /** A pass that autograd itself goes all the way back. */
  static Pass of(NDArray hidden) {
    return new Pass() {
      @Override
      public NDArray hidden() {
        return hidden;
      }

      @Override
      public void backward() {
        // Nothing is left to do.
      }
    };
  }
}
