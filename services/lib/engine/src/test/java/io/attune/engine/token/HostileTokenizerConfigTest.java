package io.attune.engine.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Special tokens, chat templates and ends of texts that are none. */
class HostileTokenizerConfigTest {
  @TempDir Path folder;

  @BeforeEach
  void setUp() throws Exception {
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.copy(Golden.path("models/llama/tokenizer.json"), folder.resolve("tokenizer.json"));
  }

  private void assertRefused(Reason reason, String message) {
    assertThatThrownBy(
            () -> {
              HubLayout layout = HubLayout.of(folder);
              try (Tokenizer tokenizer = Tokenizer.open(layout)) {
                var template = ChatTemplate.open(layout);
                TokenContract.of(layout, tokenizer, template);
                template.ifPresent(t -> t.render(List.of(new ChatMessage("user", "Hi")), true));
              }
            })
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).as("%s", e).isEqualTo(reason))
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "true", "[]", "{}", "{\"content\":1}", "{\"content\":null}"})
  void refusesSpecialTokensThatAreNoText(String token) throws Exception {
    for (String key : List.of("bos_token", "eos_token", "pad_token", "unk_token")) {
      Files.writeString(folder.resolve("tokenizer_config.json"), "{\"" + key + "\":" + token + "}");

      assertRefused(Reason.CORRUPT, "'" + key + "' is " + token + ", not a token");
    }
  }

  @Test
  void refusesASpecialTokenOfAbsurdLength() throws Exception {
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"eos_token\":\"" + "x".repeat(1025) + "\"}");

    assertRefused(Reason.CORRUPT, "'eos_token' is");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "4294967298", "0.5", "\"2\"", "[2,[3]]", "{}"})
  void refusesEndsThatAreNoTokenIds(String id) throws Exception {
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\":" + id + "}");

    assertRefused(Reason.CORRUPT, "'eos_token_id' holds");
  }

  @Test
  void refusesTemplatesThatCannotBeReadOrRendered() throws Exception {
    Path template = folder.resolve("chat_template.jinja");
    Files.writeString(template, "{% for m in messages %}");
    assertRefused(Reason.UNSUPPORTED, "chat template of");

    Files.writeString(template, "{{ raise_exception('no system message') }}");
    assertRefused(Reason.INVALID_ARGUMENT, "no system message");
  }

  @Test
  void refusesToCutTextsAtTheirBeginning() throws Exception {
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"truncation_side\":\"left\"}");

    assertThatThrownBy(() -> EncoderTokenizer.open(HubLayout.of(folder), 16, false))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNSUPPORTED))
        .hasMessageContaining("'truncation_side' is left");
  }
}
