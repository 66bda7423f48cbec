package io.attune.serving.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.generate.SamplingParameters;
import io.attune.platform.identity.Tenant;
import io.attune.serving.generate.Prompt;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OpenAiRequestTest {

  private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

  @Test
  void readsEverySupportedFieldOfAChat() {
    OpenAiRequest request =
        chat(
            """
            {"model":"assistant","messages":[
               {"role":"developer","content":"Be brief."},
               {"role":"user","content":[{"type":"text","text":"Where is "},{"type":"text","text":"it?"}]}],
             "max_completion_tokens":7,"temperature":0.5,"top_p":0.9,"top_k":3,"n":2,"seed":11,
             "stop":["a","b"],"stream":true,"stream_options":{"include_usage":true},"logprobs":true,
             "top_logprobs":4,"min_p":0.1,"repetition_penalty":1.2,"presence_penalty":-1.5,
             "frequency_penalty":2,"logit_bias":{"50256":-100,"7":1.5},
             "metadata":{"conversation_id":"c1"},"user":"someone"}
            """);

    assertThat(request.question().model()).isEqualTo("assistant");
    assertThat(request.question().conversationId()).isEqualTo("c1");
    assertThat(((Prompt.Chat) request.question().prompt()).turns())
        .containsExactly(
            new Prompt.Turn("system", "Be brief."), new Prompt.Turn("user", "Where is it?"));
    var sampling = request.question().sampling().parameters();
    assertThat(sampling.maxNewTokens()).isEqualTo(7);
    assertThat(sampling.temperature()).isEqualTo(0.5);
    assertThat(sampling.topP()).isEqualTo(0.9);
    assertThat(sampling.topK()).isEqualTo(3);
    assertThat(sampling.seed()).isEqualTo(OptionalLong.of(11));
    assertThat(sampling.stop()).containsExactly("a", "b");
    assertThat(sampling.topLogProbabilities()).isEqualTo(4);
    assertThat(sampling.minP()).isEqualTo(0.1);
    assertThat(sampling.repetitionPenalty()).isEqualTo(1.2);
    assertThat(sampling.presencePenalty()).isEqualTo(-1.5);
    assertThat(sampling.frequencyPenalty()).isEqualTo(2);
    assertThat(sampling.logitBias()).isEqualTo(Map.of(50256, -100.0, 7, 1.5));
    assertThat(request.n()).isEqualTo(2);
    assertThat(request.stream()).isTrue();
    assertThat(request.includeUsage()).isTrue();
    assertThat(request.logprobs()).isTrue();
  }

  @Test
  void absentFieldsHaveOpenAisDefaults() {
    OpenAiRequest request = chat("{\"model\":\"m\"," + MESSAGES + ",\"stop\":null}");

    var sampling = request.question().sampling().parameters();
    assertThat(sampling.temperature()).isEqualTo(1);
    assertThat(sampling.topP()).isEqualTo(1);
    assertThat(sampling).isEqualTo(SamplingParameters.builder().maxNewTokens(256).build());
    assertThat(sampling.seed()).isEmpty();
    assertThat(request.n()).isEqualTo(1);
    assertThat(request.stream()).isFalse();
    assertThat(request.logprobs()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "frequency_penalty | 2.1",
        "presence_penalty | -3",
        "repetition_penalty | 0",
        "repetition_penalty | -1",
        "min_p | 1.5",
        "min_p | \"a\"",
        "top_p | 0",
        "top_p | 1.1",
        "top_k | -1",
        "temperature | 5.5",
        "logit_bias | [1]",
        "tools | [{\"type\":\"function\"}]",
        "tool_choice | \"auto\"",
        "functions | []",
        "response_format | {\"type\":\"json_object\"}",
        "top_logprobs | 2",
        "modalities | [\"audio\"]",
        "reasoning_effort | \"high\"",
        "guided_json | {}",
        "anything_else | 1",
        "n | 5",
        "n | 0",
        "n | 1.5",
        "max_tokens | 0",
        "temperature | \"hot\"",
        "seed | 1.5",
        "stream | 1",
        "stop | 7",
        "stop | [\"a\",\"b\",\"c\",\"d\",\"e\"]",
        "stop | {\"a\":\"b\"}",
        "stream_options | {\"include_usage\":true}"
      })
  void fieldThatWouldHaveNoEffectOrIsWrongIsRefusedByName(String field, String value) {
    assertThatThrownBy(
            () -> chat("{\"model\":\"m\",%s,\"%s\":%s}".formatted(MESSAGES, field, value)))
        .isInstanceOfSatisfying(
            RefusedField.class, refused -> assertThat(refused.param()).isEqualTo(field));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"frequency_penalty\":0",
        "\"presence_penalty\":0.0",
        "\"logit_bias\":{}",
        "\"logit_bias\":null",
        "\"tools\":[]",
        "\"tool_choice\":\"none\"",
        "\"response_format\":{\"type\":\"text\"}",
        "\"top_logprobs\":0",
        "\"store\":true",
        "\"metadata\":{\"a\":\"b\"}",
        "\"service_tier\":\"auto\""
      })
  void fieldThatMeansNothingIsTaken(String field) {
    assertThat(chat("{\"model\":\"m\"," + MESSAGES + "," + field + "}").n()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "temperature | 5.5 | from 0 to 5",
        "top_p | 0 | more than 0",
        "top_p | 1.1 | from 0 to 1",
        "min_p | -0.1 | from 0 to 1",
        "presence_penalty | 2.5 | from -2 to 2",
        "top_logprobs | 21 | from 0 to 20",
        "top_logprobs | 2 | needs \"logprobs\"",
        "logit_bias | {\"5\":101} | \"logit_bias.5\" must be a number from -100 to 100",
        "logit_bias | {\"5\":\"a\"} | \"logit_bias.5\" must be a number",
        "logit_bias | {\"five\":1} | logit_bias.five",
        "stop | [\"\"] | stop text"
      })
  void valueOutOfRangeIsRefusedWithTheRange(String field, String value, String named) {
    assertThatThrownBy(
            () -> chat("{\"model\":\"m\",%s,\"%s\":%s}".formatted(MESSAGES, field, value)))
        .isInstanceOf(RefusedField.class)
        .hasMessageContaining(named);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[] | messages",
        "\"hi\" | messages",
        "[{\"role\":\"tool\",\"content\":\"x\"}] | messages[0].role",
        "[{\"role\":\"user\"}] | messages[0].content",
        "[{\"role\":\"user\",\"content\":\"x\",\"name\":\"y\"}] | messages[0].name",
        "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}] |"
            + " messages[0].content[0].type",
        "[3] | messages[0]"
      })
  void messageThatCannotBeReadIsRefusedByItsPath(String messages, String path) {
    assertThatThrownBy(() -> chat("{\"model\":\"m\",\"messages\":%s}".formatted(messages)))
        .isInstanceOfSatisfying(
            RefusedField.class, refused -> assertThat(refused.param()).isEqualTo(path));
  }

  @Test
  void modelMustBeNamed() {
    assertThatThrownBy(() -> chat("{" + MESSAGES + "}"))
        .isInstanceOfSatisfying(
            RefusedField.class, refused -> assertThat(refused.param()).isEqualTo("model"));
  }

  @Test
  void completionTakesOnePromptAndItsTokensLogProbabilities() {
    OpenAiRequest request = completion("{\"model\":\"m\",\"prompt\":[\"Once\"],\"logprobs\":5}");

    assertThat(request.question().prompt()).isEqualTo(new Prompt.Text("Once"));
    assertThat(request.logprobs()).isTrue();
    assertThat(request.question().sampling().parameters().topLogProbabilities()).isEqualTo(5);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"prompt\":[\"a\",\"b\"] | prompt",
        "\"prompt\":[1,2] | prompt",
        "\"prompt\":\"a\",\"logprobs\":21 | logprobs",
        "\"prompt\":\"a\",\"suffix\":\"b\" | suffix",
        "\"prompt\":\"a\",\"echo\":true | echo",
        "\"prompt\":\"a\",\"best_of\":2 | best_of",
        "\"prompt\":\"a\",\"messages\":[] | messages"
      })
  void completionFieldThatIsNotSupportedIsRefusedByName(String fields, String param) {
    assertThatThrownBy(() -> completion("{\"model\":\"m\"," + fields + "}"))
        .isInstanceOfSatisfying(
            RefusedField.class, refused -> assertThat(refused.param()).isEqualTo(param));
  }

  private static OpenAiRequest chat(String json) {
    return OpenAiRequest.chat(Tenant.DEFAULT, parse(json), 256);
  }

  private static OpenAiRequest completion(String json) {
    return OpenAiRequest.completion(Tenant.DEFAULT, parse(json), 256);
  }

  private static JsonNode parse(String json) {
    try {
      return new ObjectMapper().readTree(json);
    } catch (JsonProcessingException wrong) {
      throw new AssertionError(wrong);
    }
  }
}
