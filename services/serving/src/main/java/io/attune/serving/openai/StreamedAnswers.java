package io.attune.serving.openai;

import io.attune.platform.error.PlatformException;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.AnswerListener;
import io.attune.serving.generate.Head;
import io.attune.serving.generate.Ongoing;
import io.attune.serving.generate.Token;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** The answers of one call as a stream of events, pieces of different choices interleaved. */
final class StreamedAnswers {

  private final Shape shape;
  private final boolean includeUsage;
  private final Consumer<Answer> each;
  private final Answer[] answers;
  private final EventStream events = new EventStream(this::cancel);
  private List<Ongoing> ongoing = List.of();
  private int missing;
  private boolean gone;

  /**
   * @param each hears of each whole answer
   */
  StreamedAnswers(Shape shape, int n, boolean includeUsage, Consumer<Answer> each) {
    this.shape = shape;
    this.answers = new Answer[n];
    this.missing = n;
    this.includeUsage = includeUsage;
    this.each = each;
  }

  EventStream events() {
    return events;
  }

  List<AnswerListener> listeners() {
    var listeners = new ArrayList<AnswerListener>();
    for (int i = 0; i < answers.length; i++) {
      listeners.add(new Choice(i));
    }
    return listeners;
  }

  void started(List<Ongoing> begun) {
    boolean stop;
    synchronized (this) {
      ongoing = begun;
      stop = gone;
    }
    if (stop) {
      begun.forEach(Ongoing::cancel);
    }
  }

  private void cancel() {
    List<Ongoing> toStop;
    synchronized (this) {
      gone = true;
      toStop = ongoing;
    }
    toStop.forEach(Ongoing::cancel);
  }

  private synchronized boolean fill(int index, Answer answer) {
    answers[index] = answer;
    missing--;
    return missing == 0;
  }

  /** One choice of the response. */
  private final class Choice implements AnswerListener {
    private final int index;
    private boolean begun;
    private int characters;

    Choice(int index) {
      this.index = index;
    }

    @Override
    public void token(Head head, Token token) {
      begin(head);
      events.send(shape.piece(head, index, token, characters));
      characters += shape.characters(token);
    }

    @Override
    public void complete(Answer answer) {
      each.accept(answer);
      begin(answer.head());
      events.send(shape.end(answer, index));
      if (fill(index, answer)) {
        if (includeUsage) {
          events.send(shape.usagePiece(Arrays.asList(answers)));
        }
        events.send("[DONE]");
        events.end();
      }
    }

    @Override
    public void failed(PlatformException failure) {
      events.send(OpenAiErrors.body(failure.code(), failure.getMessage(), null));
      events.end();
      cancel();
    }

    private void begin(Head head) {
      if (!begun && shape instanceof ChatShape chat) {
        events.send(chat.role(head, index));
      }
      begun = true;
    }
  }
}
