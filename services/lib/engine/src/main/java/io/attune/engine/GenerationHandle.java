package io.attune.engine;

/** A text that is being written. */
@FunctionalInterface
public interface GenerationHandle {

  /** Ends it before its next token. Idempotent, from any thread. */
  void cancel();
}
