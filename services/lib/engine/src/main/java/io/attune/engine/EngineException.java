package io.attune.engine;

/**
 * The engine's one exception. The message says what is wrong, where, and what to do; {@link
 * #reason()} says what kind of failure it is, so that callers can map it without reading text.
 */
public final class EngineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Kinds of failure, each final unless its comment says otherwise. */
  public enum Reason {
    /** A parameter, row or setting is wrong; the message names it. */
    INVALID_ARGUMENT,
    /** Well-formed, but something that the engine does not implement. */
    UNSUPPORTED,
    /** Two valid things do not fit: an adapter and a base model, a tokenizer and a contract. */
    INCOMPATIBLE,
    /** A file is malformed, truncated or not what its digest says. */
    CORRUPT,
    /** A file or folder is missing, or reading or writing it failed. */
    IO,
    /** A prompt and the tokens asked for exceed the model's context. */
    TOO_LONG,
    /** Too few usable rows for the objective. */
    TOO_LITTLE_DATA,
    /** A training run produced NaN or an exploding loss, or a model gave logits that are NaN. */
    DIVERGED,
    /** The queue is full; the same request may succeed later. */
    OVERLOADED,
    /** The caller cancelled, or the object that did the work was closed. */
    CANCELLED
  }

  private final Reason reason;

  public EngineException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public EngineException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
