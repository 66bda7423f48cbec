package io.attune.serving.rollout;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.Failures;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.RecordSpans;
import io.attune.platform.identity.Tenant;
import io.attune.platform.line.LineVersion;
import io.attune.platform.line.LoadedVersions;
import io.attune.platform.line.Pin;
import io.attune.platform.line.Release;
import io.attune.platform.line.Replica;
import io.attune.platform.line.ServedVersion;
import io.attune.serving.AnswerSet;
import io.attune.serving.InferenceGrpc;
import io.attune.serving.ServingConfig;
import io.attune.serving.ServingPublisher;
import io.attune.serving.generate.Admission;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.Answering;
import io.attune.serving.generate.Generator.LoadedAdapter;
import io.attune.serving.generate.Prepared;
import io.attune.serving.generate.Question;
import io.attune.serving.generate.Sampling;
import io.attune.training.v1.RolloutCompleted;
import io.attune.training.v1.RolloutRequested;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;

/**
 * Answers chunks of prompts with the version that each names. A chunk's offset is committed after
 * its answers are published; a chunk that comes again is answered again under the same ids, and
 * whoever reads the answers counts it once.
 */
@ApplicationScoped
public class RolloutConsumer {

  private static final Logger LOG = Logger.getLogger(RolloutConsumer.class);
  private static final String GROUP = "attune-serving";
  private static final Duration FIRST_WAIT = Duration.ofMillis(200);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

  private final Answering answering;
  private final LoadedVersions<LoadedAdapter> candidates;
  private final Admission admission;
  private final TokenFiles tokenFiles;
  private final ServingPublisher publisher;
  private final ServingConfig config;
  private final String replica;
  private final MeterRegistry metrics;

  public RolloutConsumer(
      Answering answering,
      LoadedVersions<LoadedAdapter> candidates,
      Admission admission,
      TokenFiles tokenFiles,
      ServingPublisher publisher,
      ServingConfig config,
      MeterRegistry metrics) {
    this.answering = answering;
    this.candidates = candidates;
    this.admission = admission;
    this.tokenFiles = tokenFiles;
    this.publisher = publisher;
    this.config = config;
    this.replica = config.replica().orElseGet(Replica::name);
    this.metrics = metrics;
  }

  @Incoming("rollouts-requested")
  Uni<Void> consume(ConsumerRecord<String, byte[]> kafka) {
    RolloutRequested request;
    Tenant tenant;
    try {
      tenant = EventRecords.tenant(kafka);
      request = EventRecords.decode(kafka, RolloutRequested.class);
    } catch (PlatformException malformed) {
      metrics.counter("attune.serving.rollouts", "outcome", "MALFORMED").increment();
      LOG.errorf("Rollout left out reason=%s", malformed.getMessage());
      return Uni.createFrom().voidItem();
    }
    Span span = RecordSpans.process(kafka, GROUP);
    return answer(tenant, request, span)
        .chain(
            completed ->
                Uni.createFrom()
                    .deferred(() -> publish(tenant, completed, span))
                    .onFailure()
                    .retry()
                    .withBackOff(FIRST_WAIT, LONGEST_WAIT)
                    .indefinitely())
        .onTermination()
        .invoke(span::end);
  }

  private Uni<Void> publish(Tenant tenant, RolloutCompleted completed, Span span) {
    span.setAttribute("attune.job.id", completed.getJobId())
        .setAttribute("attune.rollout.id", completed.getRolloutId())
        .setAttribute("attune.rollout.answers", completed.getGenerationsCount());
    if (completed.hasFailure()) {
      span.setStatus(StatusCode.ERROR, ErrorCodes.reason(completed.getFailure().getCode()));
    }
    return within(span, () -> publisher.completed(tenant, completed));
  }

  /** Unlike those of Spans, leaves the span open: it ends with what the Uni does. */
  private static <T> Uni<T> within(Span span, Supplier<Uni<T>> work) {
    try (Scope current = span.makeCurrent()) {
      return work.get();
    }
  }

  private Uni<RolloutCompleted> answer(Tenant tenant, RolloutRequested request, Span span) {
    return Uni.createFrom()
        .deferred(() -> within(span, () -> generate(tenant, request)))
        // Loading a version and tokenizing take time that no event loop has.
        .runSubscriptionOn(Infrastructure.getDefaultWorkerPool())
        // Nor has the generator's thread any for writing files.
        .emitOn(Infrastructure.getDefaultWorkerPool())
        .map(answers -> completed(tenant, request, answers))
        .onFailure()
        .recoverWithUni(thrown -> failed(tenant, request, thrown));
  }

  private Uni<List<Answer>> generate(Tenant tenant, RolloutRequested request) {
    if (request.getPromptsCount() == 0) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT, "A rollout needs at least one prompt.");
    }
    Sampling asked = InferenceGrpc.sampling(request.getSampling(), config.defaultMaxNewTokens());
    // Who learns from the tokens needs to know how likely they were to be drawn.
    Sampling sampling = request.getTokensByReference() ? asked.tellingDrawn() : asked;
    var questions = new ArrayList<Prepared>();
    try (Pin<LoadedAdapter> version = pin(tenant, request)) {
      int each = Math.max(1, request.getGenerationsPerPrompt());
      for (int i = 0; i < request.getPromptsCount() * each; i++) {
        String id = request.getRolloutId() + "/" + i;
        var question =
            new Question(
                tenant,
                version.version().line(),
                InferenceGrpc.prompt(request.getPrompts(i / each)),
                sampling.forAnswer(i),
                id);
        questions.add(answering.prepare(question, question.model(), version.again(), id));
      }
    } catch (RuntimeException refused) {
      questions.forEach(question -> question.pin().close());
      throw refused;
    }
    return AnswerSet.collect(answering, Admission.Kind.ROLLOUT, questions, each -> {});
  }

  private Pin<LoadedAdapter> pin(Tenant tenant, RolloutRequested request) {
    LineVersion version = LineVersion.of(tenant, request.getAdapter());
    if (version.version() == 0) {
      return ServedVersion.<LoadedAdapter>base(tenant, version.line()).pin().orElseThrow();
    }
    if (!request.hasArtifact()) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "Rollout of " + version + " names no artifact, so it cannot be loaded.");
    }
    return candidates.pin(new Release(version, request.getArtifact(), ""));
  }

  private RolloutCompleted completed(
      Tenant tenant, RolloutRequested request, List<Answer> answers) {
    metrics.counter("attune.serving.rollouts", "outcome", "OK").increment();
    var completed = about(request);
    if (!request.getTokensByReference()) {
      answers.forEach(answer -> completed.addGenerations(ServingPublisher.generation(answer)));
      return completed.build();
    }
    for (Answer answer : answers) {
      completed.addGenerations(
          ServingPublisher.generation(answer).toBuilder()
              .clearPromptTokenIds()
              .clearCompletionTokenIds()
              .clearLogProbabilities());
    }
    return completed.setTokens(tokenFiles.publish(tenant, request.getRolloutId(), answers)).build();
  }

  private Uni<RolloutCompleted> failed(Tenant tenant, RolloutRequested request, Throwable thrown) {
    if (admission.draining()) {
      // Never ends, so the offset is not committed: another replica answers the chunk.
      return Uni.createFrom().nothing();
    }
    PlatformException failure = Failures.toCaller(thrown);
    metrics.counter("attune.serving.rollouts", "outcome", "FAILED").increment();
    LOG.errorf(
        "Rollout failed tenant=%s rolloutId=%s jobId=%s version=%s reason=%s",
        tenant,
        request.getRolloutId(),
        request.getJobId(),
        LineVersion.of(tenant, request.getAdapter()),
        failure.getMessage());
    return Uni.createFrom().item(about(request).setFailure(failure.toFailure()).build());
  }

  private RolloutCompleted.Builder about(RolloutRequested request) {
    var completed =
        RolloutCompleted.newBuilder()
            .setRolloutId(request.getRolloutId())
            .setJobId(request.getJobId())
            .setPurpose(request.getPurpose())
            .setRewardLine(request.getRewardLine())
            .setReplica(replica);
    if (request.hasRewardModel()) {
      completed.setRewardModel(request.getRewardModel());
    }
    if (request.hasHeldOutRewardModel()) {
      completed.setHeldOutRewardModel(request.getHeldOutRewardModel());
    }
    return completed;
  }
}
