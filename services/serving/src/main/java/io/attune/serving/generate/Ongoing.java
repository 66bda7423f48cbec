package io.attune.serving.generate;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.Failures;
import io.attune.platform.error.PlatformException;
import io.attune.platform.telemetry.Spans;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;

/**
 * An answer on its way, from the queue to its end. Whatever happens, it ends once: the place and
 * the version are given back first, then the listener hears of it.
 */
public final class Ongoing implements Generator.Listener {

  private final Generator generator;
  private final Prepared question;
  private final AnswerListener listener;
  private final AnswerMetrics.Timing timing;
  private final Clock clock;
  private final List<Token> tokens = new ArrayList<>();
  private final Span span;

  // Guarded by this.
  private Admission.Place place;
  private Generator.Running running;
  private boolean started;
  private boolean cancelled;
  private boolean ended;

  Ongoing(
      Generator generator,
      Prepared question,
      AnswerListener listener,
      AnswerMetrics.Timing timing,
      Clock clock) {
    this.generator = generator;
    this.question = question;
    this.listener = listener;
    this.timing = timing;
    this.clock = clock;
    this.span =
        Spans.of("generate", Context.current())
            .setAttribute("attune.generation.id", question.head().generationId())
            .setAttribute("attune.line", question.head().adapter().line())
            .setAttribute("attune.version", question.head().adapter().version())
            .setAttribute("gen_ai.usage.input_tokens", question.promptIds().length)
            .startSpan();
  }

  public Head head() {
    return question.head();
  }

  synchronized void waitsAt(Admission.Place taken) {
    place = taken;
  }

  /** Its turn has come. */
  void start(Admission.Place taken) {
    synchronized (this) {
      place = taken;
      if (ended) {
        taken.leave();
        return;
      }
      started = true;
    }
    timing.started();
    try {
      var begun =
          generator.submit(
              question.promptIds(), question.pin().handle(), question.sampling(), this);
      boolean stop;
      synchronized (this) {
        running = begun;
        stop = cancelled;
      }
      if (stop) {
        begun.cancel();
      }
    } catch (RuntimeException thrown) {
      failed(thrown);
    }
  }

  /** Ends it at its next token, or takes it out of the queue. Idempotent. */
  public void cancel() {
    Generator.Running toStop;
    boolean waiting;
    synchronized (this) {
      if (ended || cancelled) {
        return;
      }
      cancelled = true;
      toStop = running;
      // Once started it is cancelled through the generator, which may be using the version.
      waiting = !started;
    }
    if (toStop != null) {
      toStop.cancel();
    } else if (waiting) {
      failed(cancelledByCaller());
    }
  }

  @Override
  public void token(Token token) {
    timing.token();
    tokens.add(token);
    listener.token(head(), token);
  }

  @Override
  public void complete(String completion, Finish finish) {
    if (end()) {
      timing.completed(question.promptIds().length, tokens.size());
      Answer answer =
          new Answer(
              head(),
              question.prompt(),
              question.promptIds(),
              List.copyOf(tokens),
              completion,
              finish,
              clock.instant());
      // What the listener tells others of the answer belongs to the call's trace, too.
      Spans.run(
          span.setAttribute("gen_ai.usage.output_tokens", tokens.size()),
          () -> listener.complete(answer));
    }
  }

  @Override
  public void failed(RuntimeException reason) {
    if (end()) {
      PlatformException failure = Failures.toCaller(reason);
      timing.failed(failure.code());
      Spans.fail(span, failure);
      span.end();
      listener.failed(failure);
    }
  }

  private boolean end() {
    Admission.Place mine;
    synchronized (this) {
      if (ended) {
        return false;
      }
      ended = true;
      mine = place;
    }
    question.pin().close();
    if (mine != null) {
      mine.leave();
    }
    return true;
  }

  private static PlatformException cancelledByCaller() {
    return new PlatformException(
        ErrorCode.ERROR_CODE_CANCELLED, "The caller cancelled the call before its turn came.");
  }
}
