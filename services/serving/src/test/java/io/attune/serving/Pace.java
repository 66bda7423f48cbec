package io.attune.serving;

import io.attune.engine.generate.SamplingParameters;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.serving.generate.Admission;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.AnswerListener;
import io.attune.serving.generate.Answering;
import io.attune.serving.generate.Head;
import io.attune.serving.generate.Ongoing;
import io.attune.serving.generate.Prompt;
import io.attune.serving.generate.Question;
import io.attune.serving.generate.Sampling;
import io.attune.serving.generate.Token;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;

/**
 * Makes the generator write a token at a time, when the test says so, by an answer of its own that
 * takes a place: without it the tiny model's answers are whole before anybody can cancel them.
 */
final class Pace implements AnswerListener, AutoCloseable {

  private final Semaphore tokens = new Semaphore(0);
  private final CountDownLatch over = new CountDownLatch(1);
  private final Ongoing own;

  Pace() {
    Answering answering = Fixture.bean(Answering.class);
    var sampling = new Sampling(SamplingParameters.greedy(Fixture.MANY_TOKENS));
    var question = new Question(Tenant.DEFAULT, "tiny", new Prompt.Text("hello"), sampling, "");
    own =
        answering
            .start(Admission.Kind.CALLER, List.of(answering.prepare(question)), List.of(this))
            .get(0);
  }

  /** One token more for every answer that is being written. */
  void step() {
    tokens.release();
  }

  @Override
  public void token(Head head, Token token) {
    tokens.acquireUninterruptibly();
  }

  @Override
  public void complete(Answer answer) {
    over.countDown();
  }

  @Override
  public void failed(PlatformException failure) {
    over.countDown();
  }

  /** Lets the generator run; returns when this answer is out of the way of the next test's. */
  @Override
  public void close() {
    own.cancel();
    tokens.release(Fixture.MANY_TOKENS);
    try {
      over.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
