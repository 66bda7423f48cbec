package io.attune.serving;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.common.v1.Prompt;
import io.attune.serving.v1.GenerateBatchRequest;
import io.attune.serving.v1.GenerateRequest;
import io.attune.serving.v1.GenerateResponse;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.GenerationCompleted;
import io.attune.serving.v1.SamplingParameters;
import io.attune.serving.v1.TokenLogProbability;
import io.attune.serving.v1.TopLogProbabilities;
import io.attune.testkit.Infrastructure;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Every sampling parameter through both doors; see make_sampling.py for what is expected. */
@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class SamplingIT {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TOP = 5;

  private final Fixture fixture = new Fixture();
  private final String token = Fixture.token();
  private final JsonNode expected = expected();

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void grpcAnswerIsTheReferencesAndTellsTheLikeliestTokens() {
    List<GenerateResponse> pieces = new ArrayList<>();
    fixture.blocking().generate(request(penalized())).forEachRemaining(pieces::add);

    Generation whole = pieces.get(pieces.size() - 1).getGeneration();
    assertThat(whole.getCompletionTokenIdsList())
        .containsExactlyElementsOf(Fixture.ints(expected.path("completion_token_ids")));
    assertThat(whole.getTopLogProbabilitiesCount()).isEqualTo(whole.getCompletionTokenIdsCount());
    for (int i = 0; i < whole.getCompletionTokenIdsCount(); i++) {
      assertThat((double) whole.getLogProbabilities(i))
          .isCloseTo(expected.path("log_probabilities").path(i).doubleValue(), within(1e-3));
      TopLogProbabilities top = whole.getTopLogProbabilities(i);
      assertThat(pieces.get(i).getTopLogProbabilities()).isEqualTo(top);
      assertThat(top.getTokensList().stream().map(TokenLogProbability::getTokenId))
          .containsExactlyElementsOf(Fixture.ints(expected.path("top_token_ids").path(i)));
      for (int k = 0; k < TOP; k++) {
        assertThat((double) top.getTokens(k).getLogProbability())
            .isCloseTo(
                expected.path("top_log_probabilities").path(i).path(k).doubleValue(), within(1e-3));
        assertThat(top.getTokens(k).getToken().isEmpty())
            .isEqualTo(top.getTokens(k).getTokenId() < 3);
      }
    }
    // In the event, which is kept, the answer stands without them.
    List<GenerationCompleted> events =
        fixture.read(
            GenerationCompleted.class,
            1,
            event -> event.getGeneration().getGenerationId().equals(whole.getGenerationId()));
    assertThat(events.get(0).getGeneration())
        .isEqualTo(whole.toBuilder().clearTopLogProbabilities().build());
  }

  @Test
  void sampledAnswersOfABatchAreEachWhatTheyAreAlone() {
    var batch = GenerateBatchRequest.newBuilder();
    List<String> alone = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      GenerateRequest one =
          request(
              SamplingParameters.newBuilder()
                  .setTemperature(1 + i)
                  .setMinP(i / 50f)
                  .setPresencePenalty(i - 1)
                  .setFrequencyPenalty(0.5f * i)
                  .setRepetitionPenalty(1 + i / 5f)
                  .putLogitBias(70 + i, 3)
                  .setMaxNewTokens(12)
                  .setSeed(i));
      batch.addRequests(one);
      List<GenerateResponse> pieces = new ArrayList<>();
      fixture.blocking().generate(one).forEachRemaining(pieces::add);
      alone.add(pieces.get(pieces.size() - 1).getGeneration().getCompletionTokenIdsList() + "");
    }

    List<Generation> together =
        fixture.blocking().generateBatch(batch.build()).getGenerationsList();

    assertThat(together.stream().map(one -> one.getCompletionTokenIdsList() + ""))
        .containsExactlyElementsOf(alone)
        .doesNotHaveDuplicates();
  }

  @Test
  void completionTellsItsTokensAndTheLikeliestOnes() {
    JsonNode choice =
        json(post("/v1/completions", body().put("logprobs", TOP))).path("choices").path(0);

    assertThat(choice.path("text").textValue()).isEqualTo(expected.path("completion").textValue());
    JsonNode logprobs = choice.path("logprobs");
    int count = expected.path("completion_token_ids").size();
    for (String field : List.of("tokens", "token_logprobs", "top_logprobs", "text_offset")) {
      assertThat(logprobs.path(field).size()).as(field).isEqualTo(count);
    }
    for (int i = 0; i < count; i++) {
      double own = expected.path("log_probabilities").path(i).doubleValue();
      assertThat(logprobs.path("token_logprobs").path(i).doubleValue())
          .isCloseTo(own, within(1e-3));
      JsonNode top = logprobs.path("top_logprobs").path(i);
      String text = logprobs.path("tokens").path(i).textValue();
      assertThat(top.path(text).doubleValue()).isCloseTo(own, within(1e-3));
      boolean among =
          Fixture.ints(expected.path("top_token_ids").path(i))
              .contains(expected.path("completion_token_ids").path(i).intValue());
      assertThat(top.size()).isEqualTo(among ? TOP : TOP + 1);
    }
    assertThat(logprobs.path("tokens").path(0).textValue()).isEqualTo("E");
    // A byte that is no whole character.
    assertThat(logprobs.path("tokens").path(4).textValue()).startsWith("\\x");
    assertThat(Fixture.ints(logprobs.path("text_offset"))).startsWith(0, 1, 2).isSorted();
  }

  @Test
  void streamedChatTellsWhatTheWholeOneTells() {
    ObjectNode ask = chat().put("logprobs", true).put("top_logprobs", 3);
    JsonNode whole =
        json(post("/v1/chat/completions", ask))
            .path("choices")
            .path(0)
            .path("logprobs")
            .path("content");

    Response response = post("/v1/chat/completions", ask.put("stream", true));

    List<JsonNode> streamed = new ArrayList<>();
    for (String event : response.asString().split("\n\n")) {
      String data = event.substring("data: ".length());
      if (!data.equals("[DONE]")) {
        JsonNode content = parse(data).path("choices").path(0).path("logprobs").path("content");
        content.forEach(streamed::add);
      }
    }
    assertThat(streamed).hasSize(16).containsExactlyElementsOf(whole);
    var bytes = new ByteArrayOutputStream();
    for (JsonNode one : whole) {
      assertThat(one.path("top_logprobs").size()).isEqualTo(3);
      one.path("bytes").forEach(b -> bytes.write(b.intValue()));
    }
    JsonNode message = json(post("/v1/chat/completions", chat())).path("choices").path(0);
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .isEqualTo(message.path("message").path("content").textValue());
    assertThat(message.path("logprobs").isNull()).isTrue();
  }

  @Test
  void stopTextEndsTheAnswerAndIsNoPartOfIt() {
    String text = expected.path("completion").textValue();
    String stop = text.substring(2, 4);

    JsonNode choice =
        json(post("/v1/completions", body().put("stop", stop))).path("choices").path(0);

    assertThat(choice.path("text").textValue()).isEqualTo(text.substring(0, text.indexOf(stop)));
    assertThat(choice.path("finish_reason").textValue()).isEqualTo("stop");
  }

  @Test
  void valuesOutOfRangeAreRefusedByName() {
    assertRefused(SamplingParameters.newBuilder().setMinP(2), "min_p");
    assertRefused(SamplingParameters.newBuilder().setRepetitionPenalty(0), "repetition_penalty");
    assertRefused(SamplingParameters.newBuilder().setPresencePenalty(3), "presence_penalty");
    assertRefused(SamplingParameters.newBuilder().setFrequencyPenalty(-3), "frequency_penalty");
    assertRefused(SamplingParameters.newBuilder().putLogitBias(5, 101), "logit_bias of token 5");
    assertRefused(SamplingParameters.newBuilder().putLogitBias(99_999, 1), "names token 99999");
    assertRefused(
        SamplingParameters.newBuilder().setTopLogProbabilities(21), "top log-probabilities");

    ObjectNode unknown = body();
    unknown.putObject("logit_bias").put("99999", 1);
    Response refused = post("/v1/completions", unknown);
    assertThat(refused.statusCode()).isEqualTo(400);
    assertThat(json(refused).path("error").path("message").textValue()).contains("99999");
  }

  private void assertRefused(SamplingParameters.Builder sampling, String saying) {
    assertThatThrownBy(() -> fixture.blocking().generate(request(sampling)).next())
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused ->
                assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT))
        .hasMessageContaining(saying);
  }

  private SamplingParameters.Builder penalized() {
    var sampling =
        SamplingParameters.newBuilder()
            .setTemperature(0)
            .setRepetitionPenalty((float) expected.path("repetition_penalty").doubleValue())
            .setTopLogProbabilities(TOP)
            .setMaxNewTokens(16);
    expected
        .path("logit_bias")
        .fields()
        .forEachRemaining(
            bias ->
                sampling.putLogitBias(
                    Integer.parseInt(bias.getKey()), bias.getValue().floatValue()));
    return sampling;
  }

  private GenerateRequest request(SamplingParameters.Builder sampling) {
    return GenerateRequest.newBuilder()
        .setModel("tiny")
        .setPrompt(Prompt.newBuilder().setText(expected.path("prompt").textValue()))
        .setSampling(sampling)
        .build();
  }

  /** The reference's question as OpenAI's API has it. */
  private ObjectNode body() {
    ObjectNode body = common().put("prompt", expected.path("prompt").textValue());
    body.set("logit_bias", expected.path("logit_bias"));
    return body;
  }

  private ObjectNode chat() {
    ObjectNode body = common().put("frequency_penalty", 0.5).put("min_p", 0.05).put("seed", 3);
    body.putArray("messages").addObject().put("role", "user").put("content", "hello");
    return body.put("temperature", 0.9);
  }

  private ObjectNode common() {
    return JSON.createObjectNode()
        .put("model", "tiny")
        .put("temperature", 0)
        .put("max_tokens", 16)
        .put("repetition_penalty", expected.path("repetition_penalty").doubleValue());
  }

  private Response post(String path, ObjectNode body) {
    return given()
        .auth()
        .oauth2(token)
        .contentType("application/json")
        .body(body.toString())
        .post(path);
  }

  private static JsonNode json(Response response) {
    return parse(response.asString());
  }

  private static JsonNode parse(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException wrong) {
      throw new AssertionError(json, wrong);
    }
  }

  private static JsonNode expected() {
    try {
      return JSON.readTree(Fixture.ADAPTERS.resolve("sampling.json").toFile());
    } catch (IOException failed) {
      throw new AssertionError(failed);
    }
  }
}
