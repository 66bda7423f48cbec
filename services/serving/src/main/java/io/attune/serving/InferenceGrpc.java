package io.attune.serving;

import com.google.protobuf.ByteString;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.call.Cancellation;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import io.attune.serving.generate.Admission;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.AnswerListener;
import io.attune.serving.generate.Answering;
import io.attune.serving.generate.Generator;
import io.attune.serving.generate.Head;
import io.attune.serving.generate.Models;
import io.attune.serving.generate.Ongoing;
import io.attune.serving.generate.Prepared;
import io.attune.serving.generate.Prompt;
import io.attune.serving.generate.Question;
import io.attune.serving.generate.Sampling;
import io.attune.serving.generate.Token;
import io.attune.serving.v1.GenerateBatchRequest;
import io.attune.serving.v1.GenerateBatchResponse;
import io.attune.serving.v1.GenerateRequest;
import io.attune.serving.v1.GenerateResponse;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.InferenceService;
import io.attune.serving.v1.ListModelsRequest;
import io.attune.serving.v1.ListModelsResponse;
import io.attune.serving.v1.Model;
import io.attune.serving.v1.SamplingParameters;
import io.attune.serving.v1.TokenLogProbability;
import io.attune.serving.v1.TopLogProbabilities;
import io.quarkus.grpc.GrpcService;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.BackPressureStrategy;
import io.smallrye.mutiny.subscription.MultiEmitter;
import jakarta.annotation.security.RolesAllowed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The inference endpoint by gRPC. */
@GrpcService
public class InferenceGrpc implements InferenceService {

  private static final int MAX_BATCH = 64;

  private final Generator generator;
  private final Answering answering;
  private final Models models;
  private final ServingPublisher publisher;
  private final ServingConfig config;
  private final SecurityIdentity identity;

  public InferenceGrpc(
      Generator generator,
      Answering answering,
      Models models,
      ServingPublisher publisher,
      ServingConfig config,
      SecurityIdentity identity) {
    this.generator = generator;
    this.answering = answering;
    this.models = models;
    this.publisher = publisher;
    this.config = config;
    this.identity = identity;
  }

  @Override
  @Blocking
  @RolesAllowed({Roles.RATER, Roles.VIEWER})
  public Multi<GenerateResponse> generate(GenerateRequest request) {
    Tenant tenant = Caller.of(identity).tenant();
    // A buffer holds at most one answer's tokens, so a slow reader holds nobody up.
    return Multi.createFrom()
        .emitter(emitter -> stream(tenant, request, emitter), BackPressureStrategy.BUFFER);
  }

  private void stream(
      Tenant tenant, GenerateRequest request, MultiEmitter<? super GenerateResponse> emitter) {
    Prepared question = answering.prepare(question(tenant, request, config.defaultMaxNewTokens()));
    var pieces =
        new AnswerListener() {
          @Override
          public void token(Head head, Token token) {
            GenerateResponse.Builder piece = piece(head).setText(token.text());
            if (!token.top().isEmpty()) {
              piece.setTopLogProbabilities(top(token));
            }
            emitter.emit(piece.build());
          }

          @Override
          public void complete(Answer answer) {
            publisher.answered(answer);
            emitter.emit(piece(answer.head()).setGeneration(generation(answer)).build());
            emitter.complete();
          }

          @Override
          public void failed(PlatformException failure) {
            // Of a call that was cancelled nobody waits to hear it.
            if (!emitter.isCancelled()) {
              emitter.fail(failure);
            }
          }
        };
    Ongoing answer =
        answering.start(Admission.Kind.CALLER, List.of(question), List.of(pieces)).get(0);
    emitter.onTermination(answer::cancel);
  }

  private static GenerateResponse.Builder piece(Head head) {
    return GenerateResponse.newBuilder()
        .setGenerationId(head.generationId())
        .setAdapter(head.adapter().toProto());
  }

  @Override
  @Blocking
  @RolesAllowed({Roles.RATER, Roles.VIEWER})
  public Uni<GenerateBatchResponse> generateBatch(GenerateBatchRequest request) {
    Tenant tenant = Caller.of(identity).tenant();
    int count = request.getRequestsCount();
    if (count < 1 || count > MAX_BATCH) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "A batch holds 1 to " + MAX_BATCH + " requests, got " + count + ".");
    }
    var questions = new ArrayList<Prepared>();
    try {
      request
          .getRequestsList()
          .forEach(
              one ->
                  questions.add(
                      answering.prepare(question(tenant, one, config.defaultMaxNewTokens()))));
    } catch (RuntimeException refused) {
      questions.forEach(question -> question.pin().close());
      throw refused;
    }
    return Cancellation.endsWithCall(
            AnswerSet.collect(answering, Admission.Kind.CALLER, questions, publisher::answered))
        .map(this::batch);
  }

  private GenerateBatchResponse batch(List<Answer> answers) {
    List<Generation> generations = answers.stream().map(this::generation).toList();
    return GenerateBatchResponse.newBuilder().addAllGenerations(generations).build();
  }

  /** What the caller gets: as the event, and the likeliest tokens where they were asked for. */
  private Generation generation(Answer answer) {
    Generation.Builder generation = ServingPublisher.generation(answer).toBuilder();
    for (Token token : answer.tokens()) {
      if (!token.top().isEmpty()) {
        generation.addTopLogProbabilities(top(token));
      }
    }
    return generation.build();
  }

  private TopLogProbabilities top(Token token) {
    var top = TopLogProbabilities.newBuilder();
    for (Token.Likely likely : token.top()) {
      top.addTokens(
          TokenLogProbability.newBuilder()
              .setTokenId(likely.id())
              .setToken(ByteString.copyFrom(generator.tokenText(likely.id()).bytes()))
              .setLogProbability(likely.logProbability()));
    }
    return top.build();
  }

  @Override
  @Blocking
  @RolesAllowed({Roles.VIEWER, Roles.RATER})
  public Uni<ListModelsResponse> listModels(ListModelsRequest request) {
    var response = ListModelsResponse.newBuilder();
    for (Models.Entry entry : models.list(Caller.of(identity).tenant())) {
      response.addModels(
          Model.newBuilder()
              .setName(entry.name())
              .setAdapter(entry.adapter().toProto())
              .setParent(entry.parent()));
    }
    return Uni.createFrom().item(response.build());
  }

  private static Question question(
      Tenant tenant, GenerateRequest request, int defaultMaxNewTokens) {
    return new Question(
        tenant,
        request.getModel(),
        prompt(request.getPrompt()),
        sampling(request.getSampling(), defaultMaxNewTokens),
        request.getConversationId());
  }

  /**
   * The prompt of a request or event.
   *
   * @throws PlatformException INVALID_ARGUMENT if neither form is set
   */
  public static Prompt prompt(io.attune.common.v1.Prompt proto) {
    return switch (proto.getFormCase()) {
      case TEXT -> new Prompt.Text(proto.getText());
      case CONVERSATION ->
          new Prompt.Chat(
              proto.getConversation().getMessagesList().stream()
                  .map(turn -> new Prompt.Turn(turn.getRole(), turn.getContent()))
                  .toList());
      case FORM_NOT_SET ->
          throw new PlatformException(
              ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
              "The prompt is missing; set its text or its conversation.");
    };
  }

  /** The sampling of a request or event, with the contract's defaults filled in. */
  public static Sampling sampling(SamplingParameters proto, int defaultMaxNewTokens) {
    var parameters =
        io.attune.engine.generate.SamplingParameters.builder()
            .temperature(
                proto.hasTemperature() ? proto.getTemperature() : Sampling.DEFAULT_TEMPERATURE)
            .topK(proto.getTopK())
            .topP(proto.hasTopP() ? proto.getTopP() : 1)
            .minP(proto.getMinP())
            .repetitionPenalty(proto.hasRepetitionPenalty() ? proto.getRepetitionPenalty() : 1)
            .presencePenalty(proto.getPresencePenalty())
            .frequencyPenalty(proto.getFrequencyPenalty())
            .logitBias(bias(proto))
            .topLogProbabilities(proto.getTopLogProbabilities())
            .maxNewTokens(
                proto.getMaxNewTokens() == 0 ? defaultMaxNewTokens : proto.getMaxNewTokens())
            .stop(proto.getStopList());
    if (proto.hasSeed()) {
      parameters.seed(proto.getSeed());
    }
    return Sampling.of(parameters);
  }

  private static Map<Integer, Double> bias(SamplingParameters proto) {
    Map<Integer, Double> bias = new HashMap<>();
    proto.getLogitBiasMap().forEach((token, value) -> bias.put(token, value.doubleValue()));
    return bias;
  }
}
