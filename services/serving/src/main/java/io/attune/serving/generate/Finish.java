package io.attune.serving.generate;

/** Why an answer ended. */
public enum Finish {
  /** The model ended it, or a stop text did. */
  STOP,
  /** It reached max_new_tokens or the context length. */
  LENGTH
}
