package io.attune.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.rpc.ErrorInfo;
import io.attune.common.v1.Prompt;
import io.attune.serving.generate.Admission;
import io.attune.serving.v1.FinishReason;
import io.attune.serving.v1.GenerateBatchRequest;
import io.attune.serving.v1.GenerateRequest;
import io.attune.serving.v1.GenerateResponse;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.GenerationCompleted;
import io.attune.serving.v1.ListModelsRequest;
import io.attune.serving.v1.SamplingParameters;
import io.attune.testkit.Infrastructure;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.StreamSupport;
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
        .containsExactlyElementsOf(ints(expected.path("completion_token_ids")));
    assertThat(whole.getPromptTokenIdsList())
        .containsExactlyElementsOf(ints(expected.path("prompt_token_ids")));
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
    occupy(4 + 8);

    assertThatThrownBy(() -> fixture.blocking().generate(request("tiny", 0)).next())
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused -> {
              assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
              var details = StatusProto.fromThrowable(refused).getDetailsList();
              assertThat(details).anyMatch(any -> any.is(ErrorInfo.class));
            });
  }

  private void occupy(int places) {
    taken.addAll(admission.enter(Admission.Kind.CALLER, Collections.nCopies(places, place -> {})));
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

  private static List<Integer> ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::intValue).toList();
  }
}
