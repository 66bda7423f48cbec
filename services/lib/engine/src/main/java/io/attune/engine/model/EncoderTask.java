package io.attune.engine.model;

/** What an encoder is for, by the names of PEFT's {@code task_type}. */
public enum EncoderTask {
  /** Hidden states themselves, and embeddings made from them; no head. */
  FEATURE_EXTRACTION,
  /** Logits for each text. */
  SEQ_CLS,
  /** Logits for each token. */
  TOKEN_CLS
}
