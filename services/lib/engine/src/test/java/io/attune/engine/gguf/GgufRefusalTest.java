package io.attune.engine.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.Golden;
import io.attune.engine.ProgressListener;
import io.attune.engine.checkpoint.TensorType;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** GGUF files that are sound but no model, or one that the engine does not know. */
class GgufRefusalTest {
  @TempDir Path folder;

  private Path imported(Path file) {
    Path out = folder.resolve("out");
    GgufImport.run(file, out, TensorType.F32, ProgressListener.NONE);
    return out;
  }

  private void assertRefused(Path file, Reason reason, String message) {
    assertThatThrownBy(() -> imported(file))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).as("%s", e).isEqualTo(reason))
        .hasMessageContaining(message);
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({
    "llama.expert_count, 8",
    "llama.attention.sliding_window, 4096",
    "llama.something.new, 1"
  })
  void refusesSettingsThatItDoesNotKnow(String key, int value) throws Exception {
    Path file =
        GgufBuilder.copy(Golden.path("gguf/llama.gguf"))
            .number(key, value)
            .write(folder.resolve("x.gguf"));
    assertRefused(file, Reason.UNSUPPORTED, "metadata '" + key + "'");

    Path off =
        GgufBuilder.copy(Golden.path("gguf/llama.gguf"))
            .number(key, 0)
            .write(folder.resolve("off.gguf"));
    assertThat(imported(off).resolve("config.json")).exists();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "general.architecture",
        "llama.embedding_length",
        "llama.block_count",
        "llama.feed_forward_length",
        "llama.attention.head_count",
        "llama.context_length",
        "llama.attention.layer_norm_rms_epsilon",
        "tokenizer.ggml.model",
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.merges"
      })
  void refusesMissingMetadata(String key) throws Exception {
    Path file =
        GgufBuilder.copy(Golden.path("gguf/llama.gguf"), key).write(folder.resolve("x.gguf"));
    assertRefused(file, Reason.CORRUPT, "metadata '" + key + "' is missing");
  }

  @ParameterizedTest
  @CsvSource({
    "llama.embedding_length, 64, is 16 where a head has 32",
    "llama.feed_forward_length, 96, shape",
    "llama.block_count, 2000000000, layers",
    "llama.block_count, 0, which no model has",
    "llama.block_count, -1, which no model has",
    "llama.attention.head_count, 3, does not divide",
    "llama.rope.dimension_count, 8, only equal sizes",
    "llama.rope.scaling.factor, 1000000, is 1000000.0",
    "llama.rope.scaling.factor, 0, is 0.0",
    "tokenizer.ggml.eos_token_id, 400, the vocabulary has 400 tokens"
  })
  void refusesMetadataThatContradict(String key, int value, String message) throws Exception {
    GgufBuilder builder = GgufBuilder.copy(Golden.path("gguf/llama.gguf"), key);
    if (key.contains("head_count")) {
      builder = GgufBuilder.copy(Golden.path("gguf/llama.gguf"), key, key + "_kv");
      builder.number(key + "_kv", 2);
    }
    Path file = builder.number(key, value).write(folder.resolve("x.gguf"));
    assertThatThrownBy(() -> imported(file))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 15, 65_538})
  void refusesHeadsOfASizeThatNoneHas(int size) throws Exception {
    String key = "llama.attention.key_length";
    Path file =
        GgufBuilder.copy(
                Golden.path("gguf/llama.gguf"),
                key,
                "llama.attention.value_length",
                "llama.rope.dimension_count")
            .number(key, size)
            .write(folder.resolve("x.gguf"));
    assertRefused(file, Reason.CORRUPT, "is " + size + "; it must be even");
  }

  @Test
  void refusesMetadataOfAnotherType() throws Exception {
    Path golden = Golden.path("gguf/llama.gguf");
    for (String key : new String[] {"llama.block_count", "llama.context_length"}) {
      Path text = GgufBuilder.copy(golden, key).text(key, "1").write(folder.resolve("text.gguf"));
      assertRefused(text, Reason.CORRUPT, "metadata '" + key + "' is STRING instead of an integer");
      Path real = GgufBuilder.copy(golden, key).real(key, 1).write(folder.resolve("real.gguf"));
      assertRefused(
          real, Reason.CORRUPT, "metadata '" + key + "' is FLOAT32 instead of an integer");
    }
    String tokens = "tokenizer.ggml.tokens";
    Path numbers =
        GgufBuilder.copy(golden, tokens).integers(tokens, 1, 2).write(folder.resolve("n.gguf"));
    assertRefused(numbers, Reason.CORRUPT, "is an array of INT32 instead of STRING");
    String types = "tokenizer.ggml.token_type";
    Path large =
        GgufBuilder.copy(golden, types)
            .array(types, GgufBuilder.UINT64, 1, GgufBuilder.int64(1L << 40))
            .write(folder.resolve("large.gguf"));
    assertRefused(large, Reason.CORRUPT, "has 1099511627776 at index 0");
    String flag = "tokenizer.ggml.add_bos_token";
    Path noFlag = GgufBuilder.copy(golden, flag).number(flag, 1).write(folder.resolve("f.gguf"));
    assertRefused(noFlag, Reason.CORRUPT, "is UINT32 instead of true or false");
  }

  @Test
  void refusesMoreTokensThanEmbeddings() throws Exception {
    Path golden = Golden.path("gguf/llama.gguf");
    try (GgufFile gguf = GgufFile.open(golden)) {
      List<String> tokens = gguf.metadata().texts("tokenizer.ggml.tokens");
      tokens.add("one more");
      Path file =
          GgufBuilder.copy(golden, "tokenizer.ggml.tokens", "tokenizer.ggml.token_type")
              .texts("tokenizer.ggml.tokens", tokens)
              .write(folder.resolve("x.gguf"));
      assertRefused(file, Reason.CORRUPT, "has 401 tokens, but embeddings of 400");
    }
  }

  @Test
  void refusesScoresAndTokensThatAreNone() throws Exception {
    Path sentencePiece = Golden.path("gguf/vocab-spm.gguf");
    try (GgufFile gguf = GgufFile.open(sentencePiece)) {
      float[] scores = gguf.metadata().floats("tokenizer.ggml.scores");
      scores[7] = Float.NaN;
      Path file =
          GgufBuilder.copy(sentencePiece, "tokenizer.ggml.scores")
              .floats("tokenizer.ggml.scores", scores)
              .write(folder.resolve("nan.gguf"));
      assertTokenizerRefused(file, "has NaN for token 7");

      List<String> tokens = gguf.metadata().texts("tokenizer.ggml.tokens");
      tokens.set(0, "");
      Path empty =
          GgufBuilder.copy(sentencePiece, "tokenizer.ggml.tokens")
              .texts("tokenizer.ggml.tokens", tokens)
              .write(folder.resolve("empty.gguf"));
      assertTokenizerRefused(empty, "has an empty special token 0");
    }
  }

  private static void assertTokenizerRefused(Path file, String message) {
    try (GgufFile gguf = GgufFile.open(file)) {
      assertThatThrownBy(
              () -> HubTokenizer.read(gguf.metadata()).writeJson(OutputStream.nullOutputStream()))
          .isInstanceOfSatisfying(
              EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT))
          .hasMessageContaining(message);
    }
  }

  @Test
  void refusesToWriteWeightsAsIntegers() {
    assertThatThrownBy(
            () ->
                GgufImport.run(
                    Golden.path("gguf/llama.gguf"),
                    folder.resolve("out"),
                    TensorType.I8,
                    ProgressListener.NONE))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID_ARGUMENT))
        .hasMessageContaining("weights are not written as I8");
  }

  @Test
  void refusesForeignAndMissingTensors() throws Exception {
    Path foreign =
        GgufBuilder.copy(Golden.path("gguf/llama.gguf"))
            .zeros("blk.0.attn_sinks.weight", 8)
            .write(folder.resolve("foreign.gguf"));
    assertRefused(foreign, Reason.UNSUPPORTED, "tensor 'blk.0.attn_sinks.weight' has no place");

    Path deeper =
        GgufBuilder.copy(Golden.path("gguf/qwen2.gguf"), "general.architecture")
            .text("general.architecture", "gemma2")
            .write(folder.resolve("gemma.gguf"));
    assertRefused(deeper, Reason.UNSUPPORTED, "'gemma2'; llama, qwen2 and qwen3");

    Path bare =
        GgufBuilder.copy(Golden.path("gguf/vocab-gpt-2.gguf")).write(folder.resolve("bare.gguf"));
    assertRefused(bare, Reason.CORRUPT, "token_embd.weight");
  }

  @Test
  void refusesBiasesThatTransformersHasNoPlaceFor() throws Exception {
    Path llama =
        GgufBuilder.copy(Golden.path("gguf/llama.gguf"))
            .zeros("blk.0.attn_q.bias", 32)
            .zeros("blk.0.attn_k.bias", 16)
            .zeros("blk.0.attn_v.bias", 16)
            .write(folder.resolve("llama.gguf"));
    assertRefused(llama, Reason.UNSUPPORTED, "biases in other places than LlamaForCausalLM");

    Path qwen2 =
        GgufBuilder.copy(Golden.path("gguf/qwen2.gguf"))
            .zeros("blk.0.attn_output.bias", 32)
            .write(folder.resolve("qwen2.gguf"));
    assertRefused(qwen2, Reason.UNSUPPORTED, "biases in other places than Qwen2ForCausalLM");
  }

  @Test
  void refusesAFolderThatExists() throws Exception {
    Files.createDirectory(folder.resolve("out"));
    assertThatThrownBy(() -> imported(Golden.path("gguf/llama.gguf")))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("exists already");
  }
}
