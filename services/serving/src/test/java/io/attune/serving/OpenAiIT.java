package io.attune.serving;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.platform.identity.Tenant;
import io.attune.serving.generate.Admission;
import io.attune.testkit.Infrastructure;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class OpenAiIT {

  private static final String HELLO = "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]";

  private final String token = Fixture.token();
  private final Admission admission = Fixture.bean(Admission.class);
  private final List<Admission.Place> taken = new ArrayList<>();

  @AfterEach
  void giveBack() {
    taken.forEach(Admission.Place::leave);
  }

  @Test
  void completionIsTheReferencesGreedyAnswer() {
    JsonNode expected = Fixture.expected("base", 2);

    JsonNode body =
        json(
            post(
                "/v1/completions",
                "{\"model\":\"tiny\",\"prompt\":\"hello\",\"max_tokens\":24,\"temperature\":0,\"logprobs\":0}"));

    JsonNode choice = body.path("choices").path(0);
    assertThat(choice.path("text").textValue()).isEqualTo(expected.path("completion").textValue());
    assertThat(choice.path("finish_reason").textValue()).isEqualTo("length");
    JsonNode logprobs = choice.path("logprobs").path("token_logprobs");
    assertThat(logprobs.size()).isEqualTo(24);
    assertThat(logprobs.path(5).doubleValue())
        .isCloseTo(
            expected.path("log_probabilities").path(5).doubleValue(),
            org.assertj.core.data.Offset.offset(1e-3));
    int prompt = expected.path("prompt_token_ids").size();
    assertThat(body.path("usage").path("prompt_tokens").intValue()).isEqualTo(prompt);
    assertThat(body.path("usage").path("total_tokens").intValue()).isEqualTo(prompt + 24);
    assertThat(body.path("attune_adapter_version").textValue()).isEqualTo("tiny@0");
  }

  @Test
  void streamSaysInPiecesWhatTheWholeAnswerSays() {
    String ask = "{\"model\":\"assistant\"," + HELLO + ",\"max_tokens\":12,\"temperature\":0";
    JsonNode whole = json(post("/v1/chat/completions", ask + "}"));

    Response response =
        post(
            "/v1/chat/completions",
            ask + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");

    assertThat(response.contentType()).startsWith("text/event-stream");
    List<String> events = List.of(response.asString().split("\n\n"));
    assertThat(events).last().isEqualTo("data: [DONE]");
    var text = new StringBuilder();
    String id = response.header("attune-generation-id");
    for (String event : events.subList(0, events.size() - 1)) {
      JsonNode piece = parse(event.substring("data: ".length()));
      assertThat(piece.path("attune_generation_id").textValue()).isEqualTo(id);
      assertThat(piece.path("attune_adapter_version").textValue()).isEqualTo("assistant@0");
      text.append(piece.path("choices").path(0).path("delta").path("content").asText(""));
    }
    assertThat(text.toString())
        .isEqualTo(whole.path("choices").path(0).path("message").path("content").textValue());
    JsonNode last = parse(events.get(events.size() - 2).substring("data: ".length()));
    assertThat(last.path("usage")).isEqualTo(whole.path("usage"));
  }

  @Test
  void answersToOneQuestionHaveIdsOfTheirOwnAndRepeatWithTheSeed() {
    String ask = "{\"model\":\"tiny\"," + HELLO + ",\"max_tokens\":12,\"n\":3,\"seed\":5}";

    JsonNode first = json(post("/v1/chat/completions", ask)).path("choices");
    JsonNode again = json(post("/v1/chat/completions", ask)).path("choices");

    assertThat(first.findValuesAsText("attune_generation_id")).hasSize(3).doesNotHaveDuplicates();
    assertThat(first.findValuesAsText("content")).doesNotHaveDuplicates();
    assertThat(again.findValuesAsText("content")).isEqualTo(first.findValuesAsText("content"));
  }

  @Test
  void refusalsHaveOpenAisForm() {
    assertError("{\"model\":\"nobody\"," + HELLO + "}", 404, "not_found_error", null);
    assertError(
        "{\"model\":\"tiny\"," + HELLO + ",\"tools\":[1]}", 400, "invalid_request_error", "tools");
    assertError("{\"model\":", 400, "invalid_request_error", null);
  }

  @Test
  void overloadIsTooManyRequestsWithATimeToComeBack() {
    occupy(4 + 1000);

    Response refused = post("/v1/chat/completions", "{\"model\":\"tiny\"," + HELLO + "}");

    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(refused.header("Retry-After")).isEqualTo("1");
    assertThat(json(refused).path("error").path("type").textValue()).isEqualTo("rate_limit_error");
  }

  /** HTTP/1.1 tells it by the connection's end, HTTP/2 by the stream's. */
  @ParameterizedTest
  @EnumSource
  void clientThatGoesAwayGivesItsPlaceBack(HttpClient.Version version) throws IOException {
    occupy(2);
    double cancelled = Fixture.answers("CANCELLED");
    var request =
        HttpRequest.newBuilder(Fixture.url().resolve("/v1/chat/completions"))
            .header("Authorization", "Bearer " + token)
            .header("Content-Type", "application/json")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"model\":\"tiny\"," + HELLO + ",\"max_tokens\":100,\"stream\":true}"))
            .build();
    try (Pace pace = new Pace()) {
      CompletableFuture<HttpResponse<InputStream>> begun =
          HttpClient.newBuilder()
              .version(version)
              .build()
              .sendAsync(request, HttpResponse.BodyHandlers.ofInputStream());
      await()
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofMillis(50))
          .until(
              () -> {
                pace.step();
                return begun.isDone();
              });
      assertThat(begun.join().version()).isEqualTo(version);
      InputStream stream = begun.join().body();
      assertThat(stream.read()).isEqualTo('d');
      stream.close();

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
  void modelsNameTheirParentAsVllmDoes() {
    JsonNode models = json(given().auth().oauth2(token).get("/v1/models")).path("data");

    assertThat(models.path(0).path("id").textValue()).isEqualTo("tiny");
    assertThat(models.path(0).path("parent").isNull()).isTrue();
    assertThat(models.findValuesAsText("id")).contains("assistant");
    assertThat(models.path(1).path("parent").textValue()).isEqualTo("tiny");
  }

  private void occupy(int places) {
    taken.addAll(
        admission.enter(
            Tenant.DEFAULT, Admission.Kind.CALLER, Collections.nCopies(places, place -> {})));
  }

  private void assertError(String body, int status, String type, String param) {
    Response refused = post("/v1/chat/completions", body);
    assertThat(refused.statusCode()).isEqualTo(status);
    JsonNode error = json(refused).path("error");
    assertThat(error.path("type").textValue()).isEqualTo(type);
    assertThat(error.path("param").textValue()).isEqualTo(param);
    assertThat(error.path("message").textValue()).isNotBlank();
  }

  private Response post(String path, String body) {
    return given().auth().oauth2(token).contentType("application/json").body(body).post(path);
  }

  private static JsonNode json(Response response) {
    return parse(response.asString());
  }

  private static JsonNode parse(String json) {
    try {
      return new ObjectMapper().readTree(json);
    } catch (JsonProcessingException wrong) {
      throw new AssertionError(json, wrong);
    }
  }
}
