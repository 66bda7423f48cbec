package io.attune.engine.data;

import java.util.Locale;

/**
 * What of a row is learned, and what of a long one is kept; names are those of trl's SFTConfig and,
 * for {@code mask_history}, LLaMA-Factory.
 *
 * @param completionOnlyLoss whether of prompt and completion only the completion is learned
 * @param assistantOnlyLoss whether of a conversation only what the assistant says is learned
 * @param maskHistory whether of that only the last turn is learned
 * @param truncationMode what is kept of what exceeds the maximum length
 */
public record ExampleOptions(
    boolean completionOnlyLoss,
    boolean assistantOnlyLoss,
    boolean maskHistory,
    TruncationMode truncationMode) {
  public static final ExampleOptions DEFAULT =
      new ExampleOptions(true, true, false, TruncationMode.KEEP_START);

  /** Which part of a long row is kept. */
  public enum TruncationMode {
    KEEP_START,
    KEEP_END;

    public static TruncationMode named(String name) {
      for (TruncationMode mode : values()) {
        if (mode.name().toLowerCase(Locale.ROOT).equals(name)) {
          return mode;
        }
      }
      throw new IllegalArgumentException(
          "'truncation_mode' is " + name + "; it is keep_start or keep_end");
    }
  }

  public ExampleOptions {
    if (maskHistory && !assistantOnlyLoss) {
      throw new IllegalArgumentException(
          "'mask_history' learns the last turn alone, 'assistant_only_loss: false' all of them;"
              + " leave one of them out");
    }
  }
}
