package io.attune.engine.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import io.attune.engine.ProgressListener;
import io.attune.engine.checkpoint.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How positions are stretched, read from metadata or found in a tensor of divisors. */
class RotaryScalingTest {
  @TempDir Path folder;

  /** {@code rope_scaling} of the imported model's config.json. */
  private JsonNode scaling(Path file, String name) throws IOException {
    Path out = folder.resolve(name);
    GgufImport.run(file, out, TensorType.F32, ProgressListener.NONE);
    return new ObjectMapper().readTree(out.resolve("config.json").toFile()).get("rope_scaling");
  }

  @Test
  void linearAndYarnScalingBecomeSettings() throws Exception {
    Path linear =
        GgufBuilder.copy(Golden.path("gguf/llama.gguf"))
            .text("llama.rope.scaling.type", "linear")
            .real("llama.rope.scaling.factor", 2.5f)
            .write(folder.resolve("linear.gguf"));
    assertThat(scaling(linear, "linear")).hasToString("{\"rope_type\":\"linear\",\"factor\":2.5}");

    Path yarn =
        GgufBuilder.copy(Golden.path("gguf/qwen2.gguf"))
            .text("qwen2.rope.scaling.type", "yarn")
            .real("qwen2.rope.scaling.factor", 4)
            .number("qwen2.rope.scaling.original_context_length", 32)
            .write(folder.resolve("yarn.gguf"));
    assertThat(scaling(yarn, "yarn"))
        .hasToString(
            "{\"rope_type\":\"yarn\",\"factor\":4.0,\"original_max_position_embeddings\":32}");

    Path longrope =
        GgufBuilder.copy(Golden.path("gguf/qwen2.gguf"))
            .text("qwen2.rope.scaling.type", "longrope")
            .real("qwen2.rope.scaling.factor", 4)
            .write(folder.resolve("longrope.gguf"));
    assertThatThrownBy(() -> scaling(longrope, "longrope"))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("longrope");
  }

  @ParameterizedTest
  @CsvSource({"llama3_64_8, 64, 8", "llama3_128_32, 128, 32"})
  void llama3ScalingIsFoundAgainFromItsDivisors(String name, int headSize, double factor)
      throws Exception {
    JsonNode divisors = Golden.json("gguf/rope_freqs.json").get(name);
    float[] values = new float[divisors.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) divisors.get(i).asDouble();
    }
    Path file = rotary(values, headSize).write(folder.resolve("x.gguf"));
    try (GgufFile gguf = GgufFile.open(file)) {
      JsonNode scaling = RotaryScaling.read(gguf, ModelShape.read(gguf)).orElseThrow();
      assertThat(scaling.get("rope_type").asText()).isEqualTo("llama3");
      assertThat(scaling.get("factor").asDouble()).isEqualTo(factor);
      assertThat(scaling.get("low_freq_factor").asDouble()).isEqualTo(1);
      assertThat(scaling.get("high_freq_factor").asDouble()).isEqualTo(4);
      assertThat(scaling.get("original_max_position_embeddings").asInt()).isEqualTo(8192);
    }

    values[values.length / 2] *= 1.01f;
    Path changed = rotary(values, headSize).write(folder.resolve("y.gguf"));
    try (GgufFile gguf = GgufFile.open(changed)) {
      ModelShape shape = ModelShape.read(gguf);
      assertThatThrownBy(() -> RotaryScaling.read(gguf, shape))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("rope_freqs.weight");
    }
  }

  private static GgufBuilder rotary(float[] divisors, int headSize) {
    ByteBuffer bytes = GgufBuilder.bytes(4 * divisors.length);
    bytes.asFloatBuffer().put(divisors);
    return new GgufBuilder()
        .text("general.architecture", "llama")
        .number("llama.embedding_length", 2 * headSize)
        .number("llama.attention.head_count", 2)
        .number("llama.feed_forward_length", 8)
        .number("llama.block_count", 1)
        .number("llama.context_length", 131072)
        .real("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .real("llama.rope.freq_base", 500000)
        .zeros("token_embd.weight", 4, 2 * headSize)
        .tensor("rope_freqs.weight", 0, bytes.array(), divisors.length);
  }
}
