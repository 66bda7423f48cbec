package io.attune.engine.train;

/** What a model is trained to give, by the names of PEFT's {@code task_type}. */
public enum TaskType {
  /** Text, from a decoder-only model. */
  CAUSAL_LM,
  /** Text, from an encoder-decoder. */
  SEQ_2_SEQ_LM,
  /** A class, or a score, for a text. */
  SEQ_CLS,
  /** A class for each token. */
  TOKEN_CLS;

  boolean classifies() {
    return this == SEQ_CLS || this == TOKEN_CLS;
  }
}
