package io.attune.engine;

/**
 * The engine's one exception. The message says what is wrong, where, and what to do; {@link
 * #reason()} says what kind of failure it is, so that callers can map it without reading text.
 */
public final class EngineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Characters of a message that are kept at its beginning (what, where) and end (what to do). */
  private static final int HEAD = 1200;

  private static final int TAIL = 400;

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
    super(bounded(message));
    this.reason = reason;
  }

  public EngineException(Reason reason, String message, Throwable cause) {
    super(bounded(message), cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }

  /**
   * Messages quote files, and files come from strangers: what is too long for a log line is cut,
   * and no escape sequence reaches a terminal.
   */
  private static String bounded(String message) {
    String text =
        message.length() <= HEAD + TAIL
            ? message
            : message.substring(0, HEAD) + " [...] " + message.substring(message.length() - TAIL);
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      out.append(Character.isISOControl(c) && c != '\n' && c != '\t' ? '\uFFFD' : c);
    }
    return out.toString();
  }
}
