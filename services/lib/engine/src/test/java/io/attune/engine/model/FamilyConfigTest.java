package io.attune.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The {@code config.json} of published models, and what is refused in one. */
class FamilyConfigTest {

  @ParameterizedTest
  @CsvSource({
    "gpt2, 124439808, 1024",
    "gpt2-medium, 354823168, 1024",
    "llama-3.2-1b, 1235814400, 131072",
    "smollm2-135m-instruct, 134515008, 8192",
    "mistral-7b-v0.1, 7241732096, 32768",
    "mistral-7b-v0.3, 7248023552, 32768",
    "qwen2.5-0.5b, 494032768, 32768",
    "qwen3-0.6b, 596049920, 40960",
    "gemma-2-2b, 2614341888, 8192",
    "gemma-2-9b-it, 9241705984, 8192",
    "phi-3-mini-4k, 3821079552, 4096",
    "phi-3-mini-128k, 3821079552, 131072"
  })
  void publishedModelsHaveTheirNumberOfParameters(String name, long parameters, int context)
      throws IOException {
    Architecture model = Models.architecture(config(name), name);
    assertThat(model.parameters().values().stream().mapToLong(Shape::size).sum())
        .isEqualTo(parameters);
    assertThat(model.config().maxPositions()).isEqualTo(context);
  }

  @ParameterizedTest
  @CsvSource({
    // An unknown setting, and known ones with values that are not implemented or make no sense.
    "llama-3.2-1b, rope_local_base_freq, 10000.0",
    "llama-3.2-1b, pretraining_tp, 2",
    "llama-3.2-1b, sliding_window, 4096",
    "llama-3.2-1b, hidden_act, '\"quick_gelu\"'",
    "llama-3.2-1b, partial_rotary_factor, 0.5",
    "llama-3.2-1b, num_key_value_heads, 5",
    "llama-3.2-1b, head_dim, 63",
    "qwen3-0.6b, layer_types, '[\"full_attention\"]'",
    "qwen3-0.6b, head_dim, null",
    "gemma-2-2b, use_bidirectional_attention, true",
    "gemma-2-2b, query_pre_attn_scalar, 0",
    "gemma-2-2b, final_logit_softcapping, -1",
    "phi-3-mini-4k, partial_rotary_factor, 1.5",
    "gpt2, add_cross_attention, true",
    "gpt2, n_head, 7",
    "gpt2, activation_function, '\"quick_gelu\"'"
  })
  void aSettingThatCannotBeComputedIsNamed(String name, String key, String value)
      throws IOException {
    ObjectNode config = config(name);
    config.set(key, new ObjectMapper().readTree(value));
    assertThatThrownBy(() -> Models.architecture(config, "config.json"))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(key);
  }

  @ParameterizedTest
  @CsvSource({
    "'{\"rope_type\":\"proportional\"}', rope_type",
    "'{\"rope_type\":\"su\",\"short_factor\":[1],\"long_factor\":[1]}', rope_type",
    "'{\"rope_type\":\"linear\"}', factor",
    "'{\"rope_type\":\"linear\",\"factor\":2,\"beta_fast\":32}', beta_fast",
    "'{\"rope_type\":\"longrope\",\"short_factor\":[1],\"long_factor\":[1]}', short_factor",
    "'{\"full_attention\":{\"rope_type\":\"default\"}}', full_attention"
  })
  void aScalingThatCannotBeComputedIsNamed(String scaling, String key) throws IOException {
    for (String spelling : new String[] {"rope_scaling", "rope_parameters"}) {
      ObjectNode config = config("smollm2-135m-instruct");
      config.remove("rope_scaling");
      config.set(spelling, new ObjectMapper().readTree(scaling));
      assertThatThrownBy(() -> Models.architecture(config, "config.json"))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining(key);
    }
  }

  @Test
  void spellingsOfTransformers4And5AreOne() throws IOException {
    ObjectNode four = config("llama-3.2-1b");
    ObjectNode five = four.deepCopy();
    ObjectNode rope = (ObjectNode) five.remove("rope_scaling");
    rope.set("rope_theta", five.remove("rope_theta"));
    five.set("rope_parameters", rope);
    five.set("dtype", five.remove("torch_dtype"));
    Llama a = (Llama) Models.architecture(four, "four");
    Llama b = (Llama) Models.architecture(five, "five");
    assertThat(b.config()).isEqualTo(a.config());
    assertThat(b.constants().get("rotary.frequencies"))
        .isEqualTo(a.constants().get("rotary.frequencies"));
  }

  @Test
  void windowsFollowEachFamilysRule() throws IOException {
    ObjectNode qwen = config("qwen2.5-0.5b");
    assertThat(windows(qwen)).containsOnly(0);
    qwen.put("use_sliding_window", true).put("max_window_layers", 20);
    assertThat(windows(qwen).subList(0, 20)).containsOnly(0);
    assertThat(windows(qwen).subList(20, 24)).containsOnly(32768);
    assertThat(windows(config("gemma-2-2b")).subList(0, 4)).containsExactly(4096, 0, 4096, 0);
    assertThat(windows(config("mistral-7b-v0.1"))).containsOnly(4096);
    assertThat(windows(config("mistral-7b-v0.3"))).containsOnly(0);
    ObjectNode silent = config("mistral-7b-v0.1");
    silent.remove("sliding_window");
    assertThat(windows(silent)).containsOnly(4096);
    assertThat(windows(config("phi-3-mini-4k"))).containsOnly(2047);
  }

  @Test
  void earlyFilesCallLongRopeSu() throws IOException {
    ObjectNode named = config("phi-3-mini-128k");
    ObjectNode early = named.deepCopy();
    ((ObjectNode) early.get("rope_scaling")).put("type", "su");
    RotaryDecoder a = (RotaryDecoder) Models.architecture(named, "named");
    RotaryDecoder b = (RotaryDecoder) Models.architecture(early, "early");
    assertThat(b.rereadAfter()).isEqualTo(a.rereadAfter()).isEqualTo(4096);
    assertThat(b.constants().get("rotary.long_frequencies"))
        .isEqualTo(a.constants().get("rotary.long_frequencies"));
  }

  private static List<Integer> windows(JsonNode config) {
    RotaryDecoder model = (RotaryDecoder) Models.architecture(config, "config.json");
    return IntStream.range(0, model.layers()).mapToObj(i -> model.form(i).window()).toList();
  }

  private static ObjectNode config(String name) throws IOException {
    return (ObjectNode)
        new ObjectMapper()
            .readTree(FamilyConfigTest.class.getResource("/configs/" + name + ".json"));
  }
}
