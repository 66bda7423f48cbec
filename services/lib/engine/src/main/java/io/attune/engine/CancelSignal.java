package io.attune.engine;

/** Asked between steps whether to stop. */
@FunctionalInterface
public interface CancelSignal {
  CancelSignal NEVER = () -> false;

  boolean isCancelled();
}
