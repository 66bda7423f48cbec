package io.attune.launcher.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuickstartFilesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  @TempDir static Path folder;

  @BeforeAll
  static void write() throws IOException {
    QuickstartFiles.write(folder, 3000, 11);
  }

  @Test
  void aSecondRunWritesTheSameBytes(@TempDir Path second) throws IOException {
    QuickstartFiles.write(second, 3000, 11);
    for (String file : List.of("corpus.jsonl", "held-out.jsonl", "init/tokenizer.json")) {
      assertThat(second.resolve(file)).hasSameBinaryContentAs(folder.resolve(file));
    }
  }

  @Test
  void theReferenceTokenizerReadsItAndGetsEveryTextBack() throws IOException {
    try (HuggingFaceTokenizer tokenizer =
        HuggingFaceTokenizer.newInstance(folder.resolve("init/tokenizer.json"))) {
      for (String text :
          List.of(
              "My kettle arrived broken. Please help.",
              "Ünïcödé \u4f60\u597d \ud83d\ude00, tabs\tand\n\nlines  with   gaps",
              "I'm sure they've got 4821 of it!")) {
        long[] ids = tokenizer.encode(text, false, false).getIds();
        assertThat(tokenizer.decode(ids)).isEqualTo(text);
      }
      assertThat(tokenizer.encode("<|im_start|>user\n", false, false).getIds()).startsWith(1);
    }
  }

  @Test
  void wordsOfTheDomainAreFewTokensAndMergesAgreeWithTheReference() throws IOException {
    JsonNode model = JSON.readTree(folder.resolve("init/tokenizer.json").toFile()).get("model");
    try (HuggingFaceTokenizer tokenizer =
        HuggingFaceTokenizer.newInstance(folder.resolve("init/tokenizer.json"))) {
      // The last merge learnt is one token for the reference too, where it stands as a word's
      // start.
      for (String word : List.of("Ġsorry", "Ġrefund", "Ġtomorrow", "Ġparcel")) {
        long id = model.get("vocab").get(word).asLong();
        String text = " " + word.substring(1);
        assertThat(tokenizer.encode(text, false, false).getIds()).containsExactly(id);
      }
    }
  }

  @Test
  void configNamesTheVocabularyThatTheTokenizerHas() throws IOException {
    JsonNode config = JSON.readTree(folder.resolve("init/config.json").toFile());
    JsonNode vocabulary =
        JSON.readTree(folder.resolve("init/tokenizer.json").toFile()).get("model").get("vocab");
    assertThat(config.get("vocab_size").asInt()).isEqualTo(vocabulary.size()).isEqualTo(1024);
    assertThat(Files.readString(folder.resolve("init/chat_template.jinja")))
        .contains("<|im_start|>");
  }
}
