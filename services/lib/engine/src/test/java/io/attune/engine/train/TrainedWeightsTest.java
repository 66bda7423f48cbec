package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.Models;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TrainedWeightsTest {
  private static Architecture model(String name) {
    Path path = Golden.path("models/" + name);
    return Models.architecture(HubLayout.of(path).config(), path.toString());
  }

  private static Set<String> freeze(
      String model, int layers, List<String> modules, List<String> extra) {
    return new TrainedWeights.Layers(layers, modules, extra).of(model(model));
  }

  @Test
  void bitFitTrainsBiases() {
    Architecture gpt2 = model("gpt2");
    Set<String> trained = new TrainedWeights.Biases(List.of(), List.of()).of(gpt2);
    assertThat(trained)
        .hasSize((int) gpt2.parameters().keySet().stream().filter(n -> n.endsWith("bias")).count())
        .contains("transformer.h.0.attn.c_attn.bias", "transformer.ln_f.bias")
        .allMatch(name -> name.endsWith(".bias"));
    assertThat(new TrainedWeights.Biases(List.of(), List.of()).of(model("qwen2")))
        .isNotEmpty()
        .allMatch(name -> name.matches("model\\.layers\\.\\d+\\.self_attn\\.[qkv]_proj\\.bias"));
  }

  @Test
  void bitFitTrainsAnEncodersHeadToo() {
    assertThat(new TrainedWeights.Biases(List.of(), List.of()).of(model("bert-classifier")))
        .contains("classifier.weight", "classifier.bias", "bert.embeddings.LayerNorm.bias")
        .filteredOn(name -> !name.endsWith(".bias"))
        .containsExactly("classifier.weight");
  }

  @Test
  void bitFitTrainsAPoolerThatTheCheckpointLacks() {
    assertThat(
            new TrainedWeights.Biases(List.of("classifier", "pooler.dense"), List.of())
                .of(model("bert-classifier")))
        .filteredOn(name -> !name.endsWith(".bias"))
        .containsExactlyInAnyOrder("classifier.weight", "bert.pooler.dense.weight");
  }

  @Test
  void bitFitTrainsLayersOfTheHeadThatAreNamed() {
    assertThat(new TrainedWeights.Biases(List.of(), List.of("pooler")).of(model("bert-classifier")))
        .filteredOn(name -> !name.endsWith(".bias"))
        .containsExactlyInAnyOrder("classifier.weight", "bert.pooler.dense.weight");
  }

  @Test
  void bitFitRefusesOtherModules() {
    assertThatThrownBy(
            () ->
                new TrainedWeights.Biases(List.of(), List.of("embeddings"))
                    .of(model("bert-classifier")))
        .hasMessageContaining("'modules_to_save' names 'embeddings'")
        .hasMessageContaining("[bert.pooler.dense, classifier]");
    assertThatThrownBy(
            () -> new TrainedWeights.Biases(List.of(), List.of("lm_head")).of(model("gpt2")))
        .hasMessageContaining("'lm_head'")
        .hasMessageContaining("none");
  }

  @Test
  void bitFitNeedsBiases() {
    assertThatThrownBy(() -> new TrainedWeights.Biases(List.of(), List.of()).of(model("llama")))
        .hasMessageContaining("bitfit")
        .hasMessageContaining("llama")
        .hasMessageContaining("none");
  }

  @Test
  void freezeTrainsLayersOfEitherEnd() {
    assertThat(freeze("llama", 1, List.of("all"), List.of()))
        .hasSize(9)
        .allMatch(name -> name.startsWith("model.layers.1."));
    assertThat(freeze("llama", -1, List.of("all"), List.of()))
        .hasSize(9)
        .allMatch(name -> name.startsWith("model.layers.0."));
    assertThat(freeze("llama", 9, List.of("all"), List.of())).hasSize(18);
  }

  @Test
  void freezeTrainsNamedModules() {
    assertThat(freeze("llama", 1, List.of("up_proj", "input_layernorm"), List.of("norm")))
        .containsExactlyInAnyOrder(
            "model.layers.1.mlp.up_proj.weight",
            "model.layers.1.input_layernorm.weight",
            "model.norm.weight");
    assertThat(freeze("bert-classifier", 0, List.of("all"), List.of("classifier")))
        .containsExactlyInAnyOrder("classifier.weight", "classifier.bias");
    assertThat(freeze("t5", 1, List.of("SelfAttention"), List.of()))
        .anyMatch(name -> name.startsWith("encoder."))
        .anyMatch(name -> name.startsWith("decoder."))
        .noneMatch(name -> name.contains("block.0."));
  }

  @Test
  void freezeRefusesModulesThatAreNotThere() {
    assertThatThrownBy(() -> freeze("llama", 1, List.of("c_attn"), List.of()))
        .hasMessageContaining("'freeze_trainable_modules' names 'c_attn'")
        .hasMessageContaining("self_attn");
    assertThatThrownBy(() -> freeze("llama", 1, List.of("all"), List.of("classifier")))
        .hasMessageContaining("'freeze_extra_modules' names 'classifier'")
        .hasMessageContaining("embed_tokens");
    assertThatThrownBy(() -> freeze("llama", 0, List.of("all"), List.of()))
        .hasMessageContaining("nothing to train");
  }
}
