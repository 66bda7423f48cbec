package io.attune.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.attune.common.v1.Prompt;
import io.attune.platform.identity.Tenant;
import io.attune.serving.generate.Admission;
import io.attune.serving.v1.FinishReason;
import io.attune.serving.v1.GenerateBatchRequest;
import io.attune.serving.v1.GenerateRequest;
import io.attune.serving.v1.GenerateResponse;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.GenerationCompleted;
import io.attune.serving.v1.InferenceServiceGrpc;
import io.attune.serving.v1.ListModelsRequest;
import io.attune.serving.v1.SamplingParameters;
import io.attune.testkit.Infrastructure;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class InferenceIT {

  private final Fixture fixture = new Fixture();
  private final Admission admission = Fixture.bean(Admission.class);
  private final List<Admission.Place> taken = new ArrayList<>();

  @AfterEach
  void close() {
    taken.forEach(Admission.Place::leave);
    fixture.close();
  }

  @Test
  void streamIsTheReferencesGreedyAnswer() {
    JsonNode expected = Fixture.expected("base", 2);

    List<GenerateResponse> pieces = new ArrayList<>();
    fixture.blocking().generate(request("tiny", 2)).forEachRemaining(pieces::add);

    Generation whole = pieces.get(pieces.size() - 1).getGeneration();
    assertThat(whole.getCompletionTokenIdsList())
        .containsExactlyElementsOf(Fixture.ints(expected.path("completion_token_ids")));
    assertThat(whole.getPromptTokenIdsList())
        .containsExactlyElementsOf(Fixture.ints(expected.path("prompt_token_ids")));
    for (int i = 0; i < whole.getLogProbabilitiesCount(); i++) {
      assertThat((double) whole.getLogProbabilities(i))
          .isCloseTo(
              expected.path("log_probabilities").path(i).doubleValue(),
              org.assertj.core.data.Offset.offset(1e-3));
    }
    assertThat(String.join("", pieces.stream().map(GenerateResponse::getText).toList()))
        .isEqualTo(whole.getCompletion())
        .isEqualTo(expected.path("completion").textValue());
    assertThat(pieces)
        .hasSizeGreaterThan(2)
        .allSatisfy(
            piece -> {
              assertThat(piece.getGenerationId()).isEqualTo(whole.getGenerationId());
              assertThat(piece.getAdapter().getLine()).isEqualTo("tiny");
            });
    assertThat(whole.getFinishReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
  }

  @Test
  void everyAnswerBecomesOneEvent() {
    var response =
        fixture
            .blocking()
            .generateBatch(
                GenerateBatchRequest.newBuilder()
                    .addRequests(request("tiny", 0))
                    .addRequests(request("", 1).toBuilder().setConversationId("c7"))
                    .build());

    assertThat(response.getGenerations(1).getConversationId()).isEqualTo("c7");
    assertThat(response.getGenerations(1).getAdapter().getLine()).isEqualTo("assistant");
    for (Generation answer : response.getGenerationsList()) {
      List<GenerationCompleted> events =
          fixture.read(
              GenerationCompleted.class,
              1,
              event -> event.getGeneration().getGenerationId().equals(answer.getGenerationId()));
      assertThat(events).hasSize(1);
      assertThat(events.get(0).getGeneration()).isEqualTo(answer);
    }
  }

  @Test
  void modelsAreTheBaseAndTheLines() {
    var models = fixture.blocking().listModels(ListModelsRequest.getDefaultInstance());

    assertThat(models.getModels(0).getName()).isEqualTo("tiny");
    assertThat(models.getModels(0).getParent()).isEmpty();
    assertThat(models.getModelsList())
        .anySatisfy(
            model -> {
              assertThat(model.getName()).isEqualTo("assistant");
              assertThat(model.getParent()).isEqualTo("tiny");
            });
  }

  @Test
  void refusalsSayWhatIsWrong() {
    assertRefused(request("nobody", 0), Status.Code.NOT_FOUND, "nobody");
    assertRefused(request("assistant@99", 0), Status.Code.NOT_FOUND, "99");
    assertRefused(
        GenerateRequest.getDefaultInstance(), Status.Code.INVALID_ARGUMENT, "prompt is missing");
    assertRefused(
        request("tiny", 0).toBuilder()
            .setSampling(SamplingParameters.newBuilder().setTopP(2))
            .build(),
        Status.Code.INVALID_ARGUMENT,
        "top_p");
    assertRefused(
        request("tiny", 0).toBuilder()
            .setPrompt(Prompt.newBuilder().setText("a b c d ".repeat(200)))
            .build(),
        Status.Code.INVALID_ARGUMENT,
        "context is 128");
    assertThat(admission.running()).isZero();
  }

  @Test
  void callsBeyondTheQueueAreRefused() {
    occupy(4 + 1000);

    assertThatThrownBy(() -> fixture.blocking().generate(request("tiny", 0)).next())
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused -> {
              assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
              assertThat(detail(refused, 0, ErrorInfo.class).getReason()).isEqualTo("OVERLOADED");
              RetryInfo retry = detail(refused, 1, RetryInfo.class);
              assertThat(retry.getRetryDelay().getSeconds()).isPositive();
            });
  }

  @Test
  void cancelledAnswerGivesItsPlaceBack() {
    occupy(2);
    double cancelled = Fixture.answers("CANCELLED");
    try (Pace pace = new Pace()) {
      var call = Context.current().withCancellation();
      call.run(
          () ->
              fixture
                  .async()
                  .generate(
                      longest(),
                      observer(
                          piece -> call.cancel(new IllegalStateException("enough")),
                          new CompletableFuture<>())));

      await()
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofMillis(50))
          .untilAsserted(
              () -> {
                pace.step();
                assertThat(Fixture.answers("CANCELLED")).isEqualTo(cancelled + 1);
              });
      assertThat(admission.running()).isEqualTo(3);
    }
  }

  @Test
  void cancellingACallLeavesTheOthersOfItsConnectionAlone() throws Exception {
    double cancelled = Fixture.answers("CANCELLED");
    var other = new CompletableFuture<Void>();
    try (Pace pace = new Pace()) {
      fixture.async().generate(longest(), observer(piece -> {}, other));
      var call = Context.current().withCancellation();
      call.run(
          () ->
              fixture
                  .async()
                  .generate(longest(), observer(piece -> {}, new CompletableFuture<>())));
      await().atMost(Duration.ofSeconds(60)).until(() -> admission.running() == 3);

      call.cancel(new IllegalStateException("enough"));
      await()
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofMillis(50))
          .untilAsserted(
              () -> {
                pace.step();
                assertThat(Fixture.answers("CANCELLED")).isEqualTo(cancelled + 1);
              });
      assertThat(other).isNotDone();
    }
    other.get(60, TimeUnit.SECONDS);
  }

  @Test
  void cancelledBatchLeavesTheQueue() {
    occupy(4);
    double cancelled = Fixture.answers("CANCELLED");
    var call = Context.current().withCancellation();
    call.run(
        () ->
            fixture
                .async()
                .generateBatch(
                    GenerateBatchRequest.newBuilder()
                        .addRequests(request("tiny", 0))
                        .addRequests(request("tiny", 1))
                        .build(),
                    observer(piece -> {}, new CompletableFuture<>())));
    await().atMost(Duration.ofSeconds(60)).until(() -> admission.waiting() == 2);

    call.cancel(new IllegalStateException("enough"));

    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(Fixture.answers("CANCELLED")).isEqualTo(cancelled + 2));
    assertThat(admission.waiting()).isZero();
  }

  @Test
  void deadlineTakesACallOutOfTheQueue() {
    occupy(4);
    double cancelled = Fixture.answers("CANCELLED");

    assertThatThrownBy(
            () ->
                fixture
                    .blocking()
                    .withDeadlineAfter(3, TimeUnit.SECONDS)
                    .generate(request("tiny", 0))
                    .next())
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            late ->
                assertThat(late.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED));

    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(Fixture.answers("CANCELLED")).isEqualTo(cancelled + 1));
    assertThat(admission.waiting()).isZero();
  }

  /** As of a caller whose network has gone, or whose clock has stopped. */
  @Test
  void deadlineHoldsWhenTheCallerDoesNotEndTheCall() {
    occupy(4);
    double cancelled = Fixture.answers("CANCELLED");

    assertThatThrownBy(() -> withTimeout("300m").generate(request("tiny", 0)).next())
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            late -> {
              assertThat(late.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
              assertThat(detail(late, 0, ErrorInfo.class).getReason()).isEqualTo("CANCELLED");
            });

    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(Fixture.answers("CANCELLED")).isEqualTo(cancelled + 1));
    assertThat(admission.waiting()).isZero();
  }

  @Test
  void deadlineOfNoKnownFormIsRefused() {
    assertThatThrownBy(() -> withTimeout("soon").generate(request("tiny", 0)).next())
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused ->
                assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT))
        .hasMessageContaining("grpc-timeout");
  }

  /** A caller that sends the header and keeps no deadline itself. */
  private InferenceServiceGrpc.InferenceServiceBlockingStub withTimeout(String value) {
    var headers = new Metadata();
    headers.put(Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER), value);
    return fixture.blocking().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static <M extends Message> M detail(
      StatusRuntimeException refused, int index, Class<M> type) {
    try {
      return StatusProto.fromThrowable(refused).getDetails(index).unpack(type);
    } catch (InvalidProtocolBufferException wrong) {
      throw new AssertionError(wrong);
    }
  }

  private void occupy(int places) {
    taken.addAll(
        admission.enter(
            Tenant.DEFAULT, Admission.Kind.CALLER, Collections.nCopies(places, place -> {})));
  }

  private void assertRefused(GenerateRequest request, Status.Code code, String saying) {
    assertThatThrownBy(() -> fixture.blocking().generate(request).next())
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused -> assertThat(refused.getStatus().getCode()).isEqualTo(code))
        .hasMessageContaining(saying);
  }

  private static GenerateRequest request(String model, int prompt) {
    String text = Fixture.expected("base", prompt).path("prompt").textValue();
    return GenerateRequest.newBuilder()
        .setModel(model)
        .setPrompt(Prompt.newBuilder().setText(text))
        .setSampling(SamplingParameters.newBuilder().setTemperature(0).setMaxNewTokens(24))
        .build();
  }

  private static GenerateRequest longest() {
    return request("tiny", 0).toBuilder()
        .setSampling(
            SamplingParameters.newBuilder().setTemperature(0).setMaxNewTokens(Fixture.MANY_TOKENS))
        .build();
  }

  private static <R> StreamObserver<R> observer(Consumer<R> each, CompletableFuture<Void> end) {
    return new StreamObserver<>() {
      @Override
      public void onNext(R piece) {
        each.accept(piece);
      }

      @Override
      public void onError(Throwable ended) {
        end.completeExceptionally(ended);
      }

      @Override
      public void onCompleted() {
        end.complete(null);
      }
    };
  }
}
