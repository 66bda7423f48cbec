package io.attune.engine.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.EngineException;
import io.attune.engine.checkpoint.HubLayout;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TokenizerTest {
  private static final Path MODEL = Path.of("src/test/resources/golden/models/llama");
  private final HubLayout layout = HubLayout.of(MODEL);
  private final Tokenizer tokenizer = Tokenizer.open(layout);

  @TempDir Path folder;

  @AfterEach
  void tearDown() {
    tokenizer.close();
  }

  private static JsonNode expected() throws IOException {
    return new ObjectMapper()
        .readTree(Path.of("src/test/resources/golden/tokenizer/expected.json").toFile());
  }

  static List<JsonNode> texts() throws IOException {
    return StreamSupport.stream(expected().get("texts").spliterator(), false).toList();
  }

  private static int[] ids(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }

  @ParameterizedTest
  @MethodSource("texts")
  void givesTheReferenceIds(JsonNode text) {
    assertThat(tokenizer.encode(text.get("text").asText(), true))
        .containsExactly(ids(text.get("ids")));
  }

  @ParameterizedTest
  @MethodSource("texts")
  void streamsTheWholeTextWithoutHalfCharacters(JsonNode text) {
    TokenStream stream = tokenizer.stream();
    List<String> pieces = new ArrayList<>();
    for (int id : ids(text.get("ids"))) {
      pieces.add(stream.push(id));
    }
    pieces.add(stream.finish());

    assertThat(pieces).noneMatch(piece -> piece.contains("\uFFFD"));
    assertThat(String.join("", pieces)).isEqualTo(text.get("text").asText());
  }

  @Test
  void streamsAnyIdsAsTheyAreDecodedTogether() {
    Random random = new Random(7);
    for (int round = 0; round < 200; round++) {
      int[] ids = random.ints(40, 4, 380).toArray();
      TokenStream stream = tokenizer.stream();
      StringBuilder text = new StringBuilder();
      for (int id : ids) {
        text.append(stream.push(id));
      }
      text.append(stream.finish());

      assertThat(text.toString()).isEqualTo(tokenizer.decode(ids, true));
    }
  }

  @ParameterizedTest
  @MethodSource("texts")
  void bytesOfTheTokensAreTheText(JsonNode text) {
    var bytes = new ByteArrayOutputStream();
    for (int id : ids(text.get("ids"))) {
      bytes.writeBytes(tokenizer.bytes(id));
    }

    assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo(text.get("text").asText());
  }

  @Test
  void bytesOfSentencePieceAreBlanksAndFallbacks() {
    String bpe =
        """
        {"added_tokens":[{"id":0,"content":"<s>","special":true},
                         {"id":5,"content":"é!","special":false}],
         "decoder":{"type":"Sequence","decoders":[{"type":"Replace"},{"type":"ByteFallback"}]},
         "model":{"type":"BPE","vocab":{"<s>":0,"\u2581a":1,"<0xF0>":2,"<0xzz>":3}}}
        """;
    var tokens = new TokenBytes(bpe.getBytes(StandardCharsets.UTF_8));
    assertThat(tokens.get(0)).isEmpty();
    assertThat(tokens.get(1)).isEqualTo(new byte[] {' ', 'a'});
    assertThat(tokens.get(2)).isEqualTo(new byte[] {(byte) 0xF0});
    assertThat(tokens.get(3)).isEqualTo("<0xzz>".getBytes(StandardCharsets.UTF_8));
    assertThat(tokens.get(5)).isEqualTo("é!".getBytes(StandardCharsets.UTF_8));
    assertThat(tokens.get(99)).isEmpty();

    String unigram =
        "{\"model\":{\"vocab\":[[\"<unk>\",0.0],[\"\u2581b\",-1.5]]},"
            + "\"decoder\":{\"type\":\"Metaspace\"}}";
    assertThat(new TokenBytes(unigram.getBytes(StandardCharsets.UTF_8)).get(1))
        .isEqualTo(new byte[] {' ', 'b'});
  }

  @Test
  void knowsItsSpecialTokens() {
    assertThat(tokenizer.specialTokens().bos()).contains("<s>");
    assertThat(tokenizer.eosTokenId()).hasValue(2);
    assertThat(tokenizer.bosTokenId()).hasValue(1);
    assertThat(tokenizer.encode("<s>No.</s>", false)).startsWith(1).endsWith(2);
    assertThat(tokenizer.decode(new int[] {1, 319, 17, 2}, true)).isEqualTo("No.");
    assertThat(tokenizer.decode(new int[] {1, 319, 17, 2}, false)).isEqualTo("<s>No.</s>");
  }

  @Test
  void rendersConversationsExactly() throws Exception {
    JsonNode chat = expected().get("chat");
    List<ChatMessage> messages =
        StreamSupport.stream(chat.get("messages").spliterator(), false)
            .map(m -> new ChatMessage(m.get("role").asText(), m.get("content").asText()))
            .toList();
    ChatTemplate template = ChatTemplate.open(layout).orElseThrow();

    assertThat(template.render(messages, false)).isEqualTo(chat.get("rendered").asText());
    assertThat(template.render(messages.subList(0, 2), true))
        .isEqualTo(chat.get("generation_prompt").asText());
  }

  @Test
  void contractChangesWithEachOfItsParts() throws Exception {
    for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
      Files.copy(MODEL.resolve(file), folder.resolve(file));
    }
    Files.copy(MODEL.resolve("chat_template.jinja"), folder.resolve("chat_template.jinja"));
    String original = contract().sha256();
    assertThat(contract().sha256()).isEqualTo(original);
    assertThat(contract().eosTokenIds()).containsExactly(2);

    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\":[2,5]}");
    String otherEos = contract().sha256();
    assertThat(contract().eosTokenIds()).containsExactly(2, 5);
    Files.writeString(folder.resolve("chat_template.jinja"), "{{ 1 }}");
    assertThat(List.of(original, otherEos, contract().sha256())).doesNotHaveDuplicates();
  }

  private TokenContract contract() {
    HubLayout copy = HubLayout.of(folder);
    try (Tokenizer opened = Tokenizer.open(copy)) {
      return TokenContract.of(copy, opened, ChatTemplate.open(copy));
    }
  }

  @Test
  void refusesWhatIsNoTokenizer() throws Exception {
    Files.writeString(folder.resolve("config.json"), "{}");
    for (String json :
        List.of(
            "",
            "[]",
            "{}",
            "{\"model\":" + "[".repeat(100_000),
            "{\"model\":{\"type\":\"BPE\"}}")) {
      Files.writeString(folder.resolve("tokenizer.json"), json);
      assertThatThrownBy(() -> Tokenizer.open(HubLayout.of(folder)))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("tokenizer.json");
    }
    assertThat(ChatTemplate.open(HubLayout.of(folder))).isEqualTo(Optional.empty());
  }

  @Test
  void refusesTemplateThatItCannotRender() throws Exception {
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.writeString(folder.resolve("chat_template.jinja"), "{% call f() %}");
    assertThatThrownBy(() -> ChatTemplate.open(HubLayout.of(folder)))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("line 1: statement 'call' is not supported");
  }
}
