package io.attune.engine.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ParameterGroupsTest {
  private static final List<String> LLAMA =
      List.of(
          "model.embed_tokens.weight",
          "model.layers.0.self_attn.q_proj.weight",
          "model.layers.0.input_layernorm.weight",
          "model.layers.1.self_attn.q_proj.weight",
          "model.layers.2.self_attn.q_proj.weight",
          "model.layers.2.self_attn.q_proj.bias",
          "model.norm.weight",
          "lm_head.weight");

  /** Rate and decay of each parameter, by name. */
  private static Map<String, double[]> sorted(
      ParameterGroups groups, double rate, List<String> names, List<String> model) {
    Map<String, Integer> dimensions = new LinkedHashMap<>();
    names.forEach(name -> dimensions.put(name, name.matches(".*(norm|bias|vector).*") ? 1 : 2));
    Map<String, double[]> result = new LinkedHashMap<>();
    for (ParameterGroup group : groups.of(rate, dimensions, model)) {
      for (String name : group.names()) {
        double[] before =
            result.put(name, new double[] {group.learningRate(), group.weightDecay()});
        assertThat(before).as("%s is in one group", name).isNull();
      }
    }
    assertThat(result.keySet()).containsExactlyInAnyOrderElementsOf(names);
    return result;
  }

  @Test
  void biasesAndNormsDoNotDecay() {
    List<String> others =
        List.of(
            "encoder.layer.0.attention.output.LayerNorm.weight",
            "transformer.h.0.ln_1.weight",
            "transformer.ln_f.weight",
            "encoder.block.0.layer.0.layer_norm.weight",
            "model.decoder.layernorm_embedding.weight",
            "model.layers.0.self_attn.q_norm.weight");
    assertThat(others).noneMatch(ParameterNames::isDecayed);
    assertThat(LLAMA.stream().filter(ParameterNames::isDecayed))
        .containsExactly(
            "model.embed_tokens.weight",
            "model.layers.0.self_attn.q_proj.weight",
            "model.layers.1.self_attn.q_proj.weight",
            "model.layers.2.self_attn.q_proj.weight",
            "lm_head.weight");
    List<ParameterGroup> groups =
        ParameterGroups.decayed(0.01).of(1e-3, Map.of("a.weight", 2, "a.bias", 1), List.of());
    assertThat(groups)
        .containsExactlyInAnyOrder(
            new ParameterGroup(List.of("a.weight"), 1e-3, 0.01),
            new ParameterGroup(List.of("a.bias"), 1e-3, 0));
  }

  @Test
  void loraPlusIsPefts() throws IOException {
    JsonNode expected = Golden.json("optim/groups.json");
    List<String> names = new ArrayList<>();
    expected.fieldNames().forEachRemaining(names::add);
    assertThat(names).anyMatch(name -> name.contains("lora_embedding_B"));
    ParameterGroups groups = new ParameterGroups(0.02, 16, 3e-6, 1, List.of());
    sorted(groups, 1e-3, names, names)
        .forEach(
            (name, pair) -> {
              assertThat(pair[0])
                  .as("rate of %s", name)
                  .isCloseTo(expected.get(name).get(0).asDouble(), within(1e-15));
              assertThat(pair[1])
                  .as("decay of %s", name)
                  .isEqualTo(expected.get(name).get(1).asDouble());
            });
  }

  @Test
  void lowerLayersHaveLowerRates() {
    ParameterGroups groups = new ParameterGroups(0, 0, 1e-6, 0.5, List.of());
    Map<String, double[]> rates = sorted(groups, 1, LLAMA, LLAMA);
    assertThat(rates.get("lm_head.weight")[0]).isEqualTo(1);
    assertThat(rates.get("model.norm.weight")[0]).isEqualTo(1);
    assertThat(rates.get("model.layers.2.self_attn.q_proj.weight")[0]).isEqualTo(0.5);
    assertThat(rates.get("model.layers.1.self_attn.q_proj.weight")[0]).isEqualTo(0.25);
    assertThat(rates.get("model.layers.0.input_layernorm.weight")[0]).isEqualTo(0.125);
    assertThat(rates.get("model.embed_tokens.weight")[0]).isEqualTo(0.0625);
  }

  @Test
  void layersCountWithinTheirStackAndInTheWholeModel() {
    List<String> model =
        List.of(
            "shared.weight",
            "encoder.block.0.layer.0.SelfAttention.q.weight",
            "encoder.block.3.layer.0.SelfAttention.q.weight",
            "decoder.block.0.layer.1.EncDecAttention.q.weight",
            "decoder.block.1.layer.0.SelfAttention.q.weight");
    List<String> trained = List.of(model.get(1), model.get(3), model.get(4));
    ParameterGroups groups = new ParameterGroups(0, 0, 1e-6, 0.5, List.of());
    Map<String, double[]> rates = sorted(groups, 1, trained, model);
    assertThat(rates.get(model.get(1))[0]).isEqualTo(0.0625);
    assertThat(rates.get(model.get(3))[0]).isEqualTo(0.25);
    assertThat(rates.get(model.get(4))[0]).isEqualTo(0.5);
  }

  @Test
  void namedGroupsSayTheirOwn() {
    ParameterGroups groups =
        new ParameterGroups(
            0.1,
            0,
            1e-6,
            1,
            List.of(
                new ParameterGroups.Named(Pattern.compile("embed_tokens|norm"), 1e-5, null),
                new ParameterGroups.Named(Pattern.compile("layers\\.2"), null, 0.5),
                new ParameterGroups.Named(Pattern.compile("q_proj"), 7.0, 7.0)));
    Map<String, double[]> sorted = sorted(groups, 1e-3, LLAMA, LLAMA);
    assertThat(sorted.get("model.embed_tokens.weight")).containsExactly(1e-5, 0.1);
    assertThat(sorted.get("model.norm.weight")).containsExactly(1e-5, 0);
    assertThat(sorted.get("model.layers.2.self_attn.q_proj.bias")).containsExactly(1e-3, 0.5);
    assertThat(sorted.get("model.layers.1.self_attn.q_proj.weight")).containsExactly(7, 7);
    assertThat(sorted.get("lm_head.weight")).containsExactly(1e-3, 0.1);
  }

  @Test
  void whatMatchesNothingIsRefused() {
    Map<String, Integer> dimensions = Map.of("model.norm.weight", 1);
    ParameterGroups.Named none = new ParameterGroups.Named(Pattern.compile("wte"), 1.0, null);
    assertThatThrownBy(
            () -> new ParameterGroups(0, 0, 0, 1, List.of(none)).of(1, dimensions, LLAMA))
        .hasMessageContaining("'wte'")
        .hasMessageContaining("model.norm.weight");
    assertThatThrownBy(() -> new ParameterGroups(0, 16, 0, 1, List.of()).of(1, dimensions, LLAMA))
        .hasMessageContaining("'loraplus_lr_ratio'");
    assertThatThrownBy(() -> new ParameterGroups(0, 0, 0, 0, List.of()))
        .hasMessageContaining("'layerwise_lr_decay'");
  }
}
