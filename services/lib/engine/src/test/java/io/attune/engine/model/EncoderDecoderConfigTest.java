package io.attune.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Configurations as they stand on the hub, and what is refused in them. */
class EncoderDecoderConfigTest {

  @ParameterizedTest
  @CsvSource({
    "t5-small,60506624",
    "t5-v1_1-small,76961152",
    "flan-t5-small,76961152",
    "bart-base,139420416",
    "bart-large-cnn,406290432"
  })
  void publishedModelsHaveTheirPublishedNumberOfWeights(String name, long weights)
      throws IOException {
    Architecture architecture = Models.architecture(config(name), name);
    assertThat(architecture.parameters().values().stream().mapToLong(Shape::size).sum())
        .isEqualTo(weights);
  }

  @Test
  void transformers5KeepsApartWhetherAHeadIsScaled() throws IOException {
    ObjectNode config = config("flan-t5-small");
    config.put("tie_word_embeddings", true).put("scale_decoder_outputs", false);
    EncoderDecoderModel later = (EncoderDecoderModel) Models.architecture(config, "later");
    assertThat(later.headWeight()).isEqualTo("lm_head.weight");
    assertThat(later.aliases("lm_head.weight")).containsExactly("shared.weight");
    assertThat(((EncoderDecoderModel) Models.architecture(config("t5-small"), "")).headWeight())
        .isEqualTo("shared.weight");
  }

  @ParameterizedTest
  @CsvSource({
    "t5-small,feed_forward_proj,gated-mish,mish",
    "t5-small,is_gated_act,true,is_gated_act",
    "t5-small,dense_act_fn,silu,dense_act_fn",
    "t5-small,relative_attention_num_buckets,30,relative_attention_num_buckets",
    "t5-small,rope_theta,10000,rope_theta",
    "bart-base,normalize_before,true,normalize_before",
    "bart-base,add_final_layer_norm,true,add_final_layer_norm",
    "bart-base,normalize_embedding,false,normalize_embedding",
    "bart-base,static_position_embeddings,true,static_position_embeddings",
    "bart-base,add_bias_logits,true,add_bias_logits",
    "bart-base,tie_word_embeddings,false,tie_word_embeddings",
    "bart-base,activation_function,mish,activation_function",
    "bart-base,decoder_attention_heads,7,d_model",
    "bart-base,model_type,mbart,mbart"
  })
  void aSettingThatChangesNumbersIsRefusedByName(
      String name, String key, String value, String named) throws IOException {
    ObjectNode config = config(name);
    config.set(
        key,
        value.matches("true|false|\\d+")
            ? new ObjectMapper().readTree(value)
            : config.textNode(value));
    assertThatThrownBy(() -> Models.architecture(config, "config.json"))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(named);
  }

  private static ObjectNode config(String name) throws IOException {
    return (ObjectNode) Golden.json("configs/" + name + ".json");
  }
}
