package io.attune.serving.generate;

import io.attune.platform.error.PlatformException;
import io.attune.platform.quota.RateLimit;

/**
 * Counts the tokens of an answer for its tenant as they are written, also of one that is cancelled.
 */
final class CountedAnswer implements AnswerListener {

  private final AnswerListener listener;
  private final RateLimit tokens;

  CountedAnswer(AnswerListener listener, RateLimit tokens) {
    this.listener = listener;
    this.tokens = tokens;
  }

  @Override
  public void token(Head head, Token token) {
    tokens.take(head.adapter().tenant(), 1);
    listener.token(head, token);
  }

  @Override
  public void complete(Answer answer) {
    listener.complete(answer);
  }

  @Override
  public void failed(PlatformException failure) {
    listener.failed(failure);
  }
}
