package io.attune.serving.generate;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.platform.line.Pin;
import io.attune.platform.quota.RateLimit;
import io.attune.platform.time.Ids;
import io.attune.serving.generate.Generator.LoadedAdapter;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Answers questions: fixes the version, tokenizes, waits for a place, generates. */
public final class Answering {

  private final Generator generator;
  private final Models models;
  private final Admission admission;
  private final AnswerMetrics metrics;
  private final RateLimit tokens;
  private final Clock clock;
  private final Ids ids;

  public Answering(
      Generator generator,
      Models models,
      Admission admission,
      AnswerMetrics metrics,
      RateLimit tokens,
      Clock clock,
      Ids ids) {
    this.generator = generator;
    this.models = models;
    this.admission = admission;
    this.metrics = metrics;
    this.tokens = tokens;
    this.clock = clock;
    this.ids = ids;
  }

  /**
   * Fixes the version that answers, now, and tokenizes the prompt.
   *
   * @throws PlatformException NOT_FOUND for an unknown model, INVALID_ARGUMENT for a prompt that is
   *     empty or longer than the context, QUOTA_EXCEEDED if the tenant has used up its tokens
   */
  public Prepared prepare(Question question) {
    tokens.require(question.tenant());
    String model = question.model().isEmpty() ? models.defaultLine() : question.model();
    return prepare(question, model, models.pin(question.tenant(), model), ids.next().toString());
  }

  /** The same for a version that the caller has pinned; the pin passes to the result. */
  public Prepared prepare(
      Question question, String model, Pin<LoadedAdapter> pin, String generationId) {
    try {
      generator.check(question.sampling());
      int[] prompt = generator.encode(question.prompt());
      requireRoom(prompt.length);
      String conversation =
          question.conversationId().isEmpty() ? ids.next().toString() : question.conversationId();
      var head = new Head(generationId, conversation, model, pin.version(), prompt.length);
      return new Prepared(head, question.prompt(), prompt, question.sampling(), pin);
    } catch (RuntimeException refused) {
      pin.close();
      throw refused;
    }
  }

  /** The same question once more, to the same version, for its i-th answer. */
  public Prepared again(Prepared first, int i) {
    Head head = first.head();
    var next =
        new Head(
            ids.next().toString(),
            head.conversationId(),
            head.model(),
            head.adapter(),
            head.promptTokens());
    return new Prepared(
        next,
        first.prompt(),
        first.promptIds(),
        first.sampling().forAnswer(i),
        first.pin().again());
  }

  /**
   * Starts answers of one tenant, all or none.
   *
   * @param listeners one for each question, in their order
   * @throws PlatformException OVERLOADED, QUOTA_EXCEEDED or UNAVAILABLE; the questions' pins are
   *     closed then
   */
  public List<Ongoing> start(
      Admission.Kind kind, List<Prepared> questions, List<? extends AnswerListener> listeners) {
    Tenant tenant = questions.get(0).head().adapter().tenant();
    var answers = new ArrayList<Ongoing>();
    for (int i = 0; i < questions.size(); i++) {
      Prepared question = questions.get(i);
      var timing = metrics.begin(question.head().adapter().line(), kind);
      AnswerListener listener = listeners.get(i);
      answers.add(
          new Ongoing(
              generator,
              question,
              kind == Admission.Kind.CALLER ? new CountedAnswer(listener, tokens) : listener,
              timing,
              clock));
    }
    try {
      List<Consumer<Admission.Place>> starts = new ArrayList<>();
      answers.forEach(answer -> starts.add(answer::start));
      List<Admission.Place> places = admission.enter(tenant, kind, starts);
      for (int i = 0; i < places.size(); i++) {
        answers.get(i).waitsAt(places.get(i));
      }
      if (kind == Admission.Kind.CALLER) {
        questions.forEach(question -> tokens.take(tenant, question.promptIds().length));
      }
      return answers;
    } catch (PlatformException refused) {
      metrics.refused(refused.code());
      questions.forEach(question -> question.pin().close());
      throw refused;
    }
  }

  private void requireRoom(int promptTokens) {
    int context = generator.contextLength();
    if (promptTokens == 0) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "The prompt is empty; send at least one character.");
    }
    if (promptTokens >= context) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "The prompt has %d tokens; the model's context is %d, of which at least 1 is for the answer."
              .formatted(promptTokens, context));
    }
  }
}
