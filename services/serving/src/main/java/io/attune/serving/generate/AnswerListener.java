package io.attune.serving.generate;

import io.attune.platform.error.PlatformException;

/** Hears an answer grow. One thread at a time calls it; it must not block. */
public interface AnswerListener {

  void token(Head head, Token token);

  /** The last call, when the answer is whole. */
  void complete(Answer answer);

  /** The last call, when there is no answer. */
  void failed(PlatformException failure);
}
