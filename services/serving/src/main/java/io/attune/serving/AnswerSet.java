package io.attune.serving;

import io.attune.platform.error.PlatformException;
import io.attune.serving.generate.Admission;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.AnswerListener;
import io.attune.serving.generate.Answering;
import io.attune.serving.generate.Head;
import io.attune.serving.generate.Ongoing;
import io.attune.serving.generate.Prepared;
import io.attune.serving.generate.Token;
import io.opentelemetry.context.Context;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** Several answers that are wanted whole and together. One failure ends all of them. */
public final class AnswerSet {

  private final Answer[] answers;
  private final Consumer<Answer> each;
  private final UniEmitter<? super List<Answer>> emitter;
  private int missing;
  private List<Ongoing> ongoing = List.of();
  private boolean over;

  private AnswerSet(int size, Consumer<Answer> each, UniEmitter<? super List<Answer>> emitter) {
    this.answers = new Answer[size];
    this.missing = size;
    this.each = each;
    this.emitter = emitter;
  }

  /**
   * Starts the answers when subscribed to, in the trace under way now, and cancels them when the
   * subscriber does.
   *
   * @param each hears of each answer as it completes
   * @return the answers in the questions' order
   */
  public static Uni<List<Answer>> collect(
      Answering answering, Admission.Kind kind, List<Prepared> questions, Consumer<Answer> each) {
    Context trace = Context.current();
    return Uni.createFrom()
        .emitter(
            emitter -> {
              var set = new AnswerSet(questions.size(), each, emitter);
              emitter.onTermination(set::cancel);
              trace.wrap(() -> set.start(answering, kind, questions)).run();
            });
  }

  private void start(Answering answering, Admission.Kind kind, List<Prepared> questions) {
    var listeners = new ArrayList<AnswerListener>();
    for (int i = 0; i < questions.size(); i++) {
      listeners.add(listener(i));
    }
    started(answering.start(kind, questions, listeners));
  }

  private AnswerListener listener(int i) {
    return new AnswerListener() {
      @Override
      public void token(Head head, Token token) {}

      @Override
      public void complete(Answer answer) {
        each.accept(answer);
        if (fill(i, answer)) {
          emitter.complete(Arrays.asList(answers));
        }
      }

      @Override
      public void failed(PlatformException failure) {
        // Once: the others end because of the first, or all because the subscriber went.
        if (cancel()) {
          emitter.fail(failure);
        }
      }
    };
  }

  private synchronized boolean fill(int i, Answer answer) {
    answers[i] = answer;
    missing--;
    return missing == 0;
  }

  private void started(List<Ongoing> begun) {
    boolean stop;
    synchronized (this) {
      ongoing = begun;
      stop = over;
    }
    if (stop) {
      begun.forEach(Ongoing::cancel);
    }
  }

  /** Whether this was the first. */
  private boolean cancel() {
    List<Ongoing> toStop;
    synchronized (this) {
      if (over) {
        return false;
      }
      over = true;
      toStop = ongoing;
    }
    toStop.forEach(Ongoing::cancel);
    return true;
  }
}
