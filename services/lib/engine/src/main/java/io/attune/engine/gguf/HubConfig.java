package io.attune.engine.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.TensorType;
import java.util.Optional;

/** {@code config.json} and {@code generation_config.json}. */
final class HubConfig {
  private HubConfig() {}

  /**
   * In the spelling that transformers 4 and 5 read alike.
   *
   * @param scaling {@code rope_scaling}
   * @param type of the weights
   */
  static ObjectNode model(
      ModelShape shape, Optional<ObjectNode> scaling, TokenRoles roles, TensorType type) {
    ObjectNode config = JsonFiles.newObject();
    config.putArray("architectures").add(shape.family().className());
    config.put("model_type", shape.family().architecture());
    config.put("vocab_size", shape.vocabSize());
    config.put("hidden_size", shape.hiddenSize());
    config.put("intermediate_size", shape.intermediateSize());
    config.put("num_hidden_layers", shape.layers());
    config.put("num_attention_heads", shape.heads());
    config.put("num_key_value_heads", shape.keyValueHeads());
    boolean impliedHeadSize = (long) shape.headSize() * shape.heads() == shape.hiddenSize();
    if (shape.family() != ModelFamily.QWEN2 || !impliedHeadSize) {
      config.put("head_dim", shape.headSize());
    }
    config.put("hidden_act", "silu");
    config.put("max_position_embeddings", shape.maxPositions());
    config.put("rms_norm_eps", shape.rmsNormEps());
    config.put("rope_theta", shape.ropeTheta());
    scaling.ifPresent(value -> config.set("rope_scaling", value));
    if (shape.family() != ModelFamily.QWEN2) {
      config.put("attention_bias", shape.outputBias());
    }
    if (shape.family() == ModelFamily.LLAMA) {
      config.put("mlp_bias", shape.feedForwardBias());
    }
    config.put("tie_word_embeddings", shape.tiedEmbeddings());
    config.put("torch_dtype", torchName(type));
    roles.bos().ifPresent(id -> config.put("bos_token_id", id));
    roles.eos().ifPresent(id -> config.put("eos_token_id", id));
    roles.pad().ifPresent(id -> config.put("pad_token_id", id));
    return config;
  }

  static ObjectNode generation(TokenRoles roles) {
    ObjectNode config = JsonFiles.newObject();
    roles.bos().ifPresent(id -> config.put("bos_token_id", id));
    if (roles.ends().size() == 1) {
      config.put("eos_token_id", roles.ends().first());
    } else if (!roles.ends().isEmpty()) {
      ArrayNode ids = config.putArray("eos_token_id");
      roles.ends().forEach(ids::add);
    }
    roles.pad().ifPresent(id -> config.put("pad_token_id", id));
    return config;
  }

  private static String torchName(TensorType type) {
    return switch (type) {
      case F32 -> "float32";
      case F16 -> "float16";
      case BF16 -> "bfloat16";
      default -> throw new IllegalArgumentException("weights are not written as " + type);
    };
  }
}
