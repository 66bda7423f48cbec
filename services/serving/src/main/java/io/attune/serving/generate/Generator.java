package io.attune.serving.generate;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A loaded base model that answers with many adapters in one batch: the engine as serving sees it.
 */
public interface Generator extends AutoCloseable {

  /** An adapter loaded onto the base model. */
  interface LoadedAdapter extends AutoCloseable {
    @Override
    void close();
  }

  /** An answer that is being written. */
  interface Running {
    /** Ends it at its next token; the listener hears CANCELLED. */
    void cancel();
  }

  /** Hears one answer grow, on the generator's thread. */
  interface Listener {
    void token(Token token);

    void complete(String completion, Finish finish);

    /** Cancelled, or failed. */
    void failed(RuntimeException reason);
  }

  /** The digest over tokenizer, chat template and end-of-sequence ids. */
  String contractSha256();

  /** Prompt and answer tokens together, at most. */
  int contextLength();

  /**
   * The prompt's token ids.
   *
   * @throws io.attune.platform.error.PlatformException INVALID_ARGUMENT if the model has no chat
   *     template and the prompt is a conversation, or the template refuses it
   */
  int[] encode(Prompt prompt);

  /** What a token stands for. */
  TokenText tokenText(int id);

  /**
   * @throws io.attune.platform.error.PlatformException INVALID_ARGUMENT if a biased token is none
   *     of the vocabulary
   */
  void check(Sampling sampling);

  /**
   * @throws io.attune.platform.error.PlatformException INCOMPATIBLE or CORRUPT
   */
  LoadedAdapter load(Path folder);

  /** Puts an answer into the batch. Returns at once. */
  Running submit(
      int[] prompt, Optional<LoadedAdapter> adapter, Sampling sampling, Listener listener);

  @Override
  void close();
}
