package io.attune.engine.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.token.Tokenizer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Ids against those of the tokenizer that transformers 5.18.0 makes of the same vocabulary. For
 * {@code smollm}, {@code default} and {@code llama-bpe}, which it does not tell from others, those
 * of the tokenizers that the names stand for: SmolLM's digits, Falcon's splits, Llama 3's whole
 * words.
 */
class HubTokenizerTest {
  @TempDir Path folder;

  private Tokenizer rebuilt(Path file) throws IOException {
    Path out = Files.createDirectories(folder.resolve("out"));
    Files.writeString(out.resolve("config.json"), "{}");
    try (GgufFile gguf = GgufFile.open(file);
        OutputStream json = Files.newOutputStream(out.resolve("tokenizer.json"))) {
      HubTokenizer tokenizer = HubTokenizer.read(gguf.metadata());
      tokenizer.writeJson(json);
      Files.write(out.resolve("tokenizer_config.json"), JsonFiles.pretty(tokenizer.config(128)));
    }
    return Tokenizer.open(HubLayout.of(out));
  }

  private Path vocabulary(String pre) throws IOException {
    return GgufBuilder.copy(Golden.path("gguf/vocab-gpt-2.gguf"), "tokenizer.ggml.pre")
        .text("tokenizer.ggml.pre", pre)
        .write(folder.resolve("vocabulary.gguf"));
  }

  private static void assertIds(Tokenizer tokenizer, String name) throws IOException {
    JsonNode golden = Golden.json("gguf/tokens.json");
    JsonNode ids = golden.get("ids").get(name);
    assertThat(ids).hasSize(golden.get("texts").size());
    for (int i = 0; i < ids.size(); i++) {
      String text = golden.get("texts").get(i).asText();
      assertThat(tokenizer.encode(text, false)).as(text).containsExactly(Golden.ints(ids.get(i)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "smollm", "default", "llama-bpe", "qwen2", "tekken", "gpt-4o"})
  void byteLevelIdsAreTheReferences(String pre) throws Exception {
    try (Tokenizer tokenizer = rebuilt(vocabulary(pre))) {
      assertIds(tokenizer, pre);
      for (JsonNode text : Golden.json("gguf/tokens.json").get("texts")) {
        assertThat(tokenizer.decode(tokenizer.encode(text.asText(), false), false))
            .isEqualTo(text.asText());
      }
    }
  }

  @Test
  void aFileThatNamesNoPreTokenizerHasTheDefault() throws Exception {
    Path file =
        GgufBuilder.copy(Golden.path("gguf/vocab-gpt-2.gguf"), "tokenizer.ggml.pre")
            .write(folder.resolve("vocabulary.gguf"));
    try (Tokenizer tokenizer = rebuilt(file)) {
      assertIds(tokenizer, "default");
    }
  }

  @Test
  void sentencePieceIdsAreTheReferences() throws Exception {
    try (Tokenizer tokenizer = rebuilt(Golden.path("gguf/vocab-spm.gguf"))) {
      assertIds(tokenizer, "spm");
      for (JsonNode text : Golden.json("gguf/tokens.json").get("texts")) {
        // As in the reference, no space is put before one that is there, but one is taken away.
        assertThat(tokenizer.decode(tokenizer.encode(text.asText(), true), true))
            .isEqualTo(text.asText().startsWith(" ") ? text.asText().substring(1) : text.asText());
      }
      assertThat(tokenizer.encode("Hello", true)).startsWith(1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "gpt-2, , , false, false",
    "gpt-2, true, , true, false",
    "gpt-2, true, true, true, true",
    "gpt-2, , true, false, true",
    "llama-bpe, , , true, false",
    "llama-bpe, false, , false, false"
  })
  void addsTheTokensThatTheFileAsksFor(
      String pre, Boolean bos, Boolean eos, boolean begins, boolean ends) throws Exception {
    GgufBuilder file = GgufBuilder.copy(vocabulary(pre));
    if (bos != null) {
      file.flag("tokenizer.ggml.add_bos_token", bos);
    }
    if (eos != null) {
      file.flag("tokenizer.ggml.add_eos_token", eos);
    }
    try (Tokenizer tokenizer = rebuilt(file.write(folder.resolve("x.gguf")))) {
      int[] plain = tokenizer.encode("Hello", false);
      int[] special = tokenizer.encode("Hello", true);
      assertThat(special).hasSize(plain.length + (begins ? 1 : 0) + (ends ? 1 : 0));
      assertThat(special[0] == 1).isEqualTo(begins);
      assertThat(special[special.length - 1] == 2).isEqualTo(ends);
    }
  }

  @Test
  void sentencePieceWithoutSpacePrefixBeginsWithTheText() throws Exception {
    Path file =
        GgufBuilder.copy(Golden.path("gguf/vocab-spm.gguf"))
            .flag("tokenizer.ggml.add_space_prefix", false)
            .write(folder.resolve("x.gguf"));
    try (Tokenizer tokenizer = rebuilt(file)) {
      assertThat(tokenizer.decode(tokenizer.encode(" the", false), false)).isEqualTo(" the");
      assertThat(tokenizer.encode("the", false)).isNotEqualTo(tokenizer.encode(" the", false));
    }
  }

  @Test
  void specialTokensOutsideOfTheByteAlphabetStayWhole() throws Exception {
    Path golden = Golden.path("gguf/vocab-gpt-2.gguf");
    List<String> tokens;
    int[] types;
    try (GgufFile gguf = GgufFile.open(golden)) {
      tokens = gguf.metadata().texts("tokenizer.ggml.tokens");
      types = gguf.metadata().integers("tokenizer.ggml.token_type");
    }
    int id = tokens.indexOf("<think>");
    tokens.set(id, "<｜begin▁of▁sentence｜>");
    types[id] = 3;
    Path file =
        GgufBuilder.copy(golden, "tokenizer.ggml.tokens", "tokenizer.ggml.token_type")
            .texts("tokenizer.ggml.tokens", tokens)
            .integers("tokenizer.ggml.token_type", types)
            .write(folder.resolve("x.gguf"));
    try (Tokenizer tokenizer = rebuilt(file)) {
      assertThat(tokenizer.encode("<｜begin▁of▁sentence｜>", false)).containsExactly(id);
    }
  }

  @Test
  void refusesVocabulariesThatContradictThemselves() throws Exception {
    Path golden = Golden.path("gguf/vocab-gpt-2.gguf");
    String tokens = "tokenizer.ggml.tokens";
    assertRefused(
        GgufBuilder.copy(golden, tokens).texts(tokens, List.of("a", "b", "a")),
        "has 402 types for 3 tokens");
    assertRefused(
        GgufBuilder.copy(golden, tokens, "tokenizer.ggml.token_type")
            .texts(tokens, List.of("a", "b", "a")),
        "has 'a' twice, as tokens 0 and 2");
    assertRefused(
        GgufBuilder.copy(golden, "tokenizer.ggml.merges")
            .texts("tokenizer.ggml.merges", List.of("a b", "nonsense")),
        "but 'ab' is no token");
    assertRefused(
        GgufBuilder.copy(golden, "tokenizer.ggml.merges").number("tokenizer.ggml.merges", 1),
        "is UINT32 instead of an array");
    assertRefused(
        GgufBuilder.copy(golden, "tokenizer.ggml.model").text("tokenizer.ggml.model", "rwkv"),
        "is 'rwkv'");
    assertRefused(
        GgufBuilder.copy(golden, "tokenizer.ggml.pre").text("tokenizer.ggml.pre", "unheard-of"),
        "is 'unheard-of'; known are");
    assertRefused(
        GgufBuilder.copy(golden, "tokenizer.ggml.bos_token_id")
            .flag("tokenizer.ggml.add_bos_token", true),
        "does not say which token");
    assertRefused(
        GgufBuilder.copy(Golden.path("gguf/vocab-spm.gguf"), "tokenizer.ggml.scores")
            .floats("tokenizer.ggml.scores", 1, 2),
        "has 2 scores");
  }

  private void assertRefused(GgufBuilder file, String message) {
    assertThatThrownBy(() -> rebuilt(file.write(folder.resolve("x.gguf"))))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("x.gguf")
        .hasMessageContaining(message);
  }
}
