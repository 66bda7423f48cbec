package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.MethodWriter;
import java.util.Map;

/**
 * Qwen 3 (arXiv 2505.09388): as {@link Qwen2}, with a norm of each head's queries and keys in place
 * of biases.
 */
public final class Qwen3 extends RotaryDecoder {

  private Qwen3(RotaryConfig config, boolean bias) {
    super(config, new Biases(bias, bias, false));
  }

  static Qwen3 parse(JsonNode json, String where) {
    ConfigReader in = new ConfigReader(json, where);
    in.size("head_dim"); // its default is not hidden_size / num_attention_heads
    RotaryConfig config =
        Qwen2.withUpperWindows(
            in, RotaryConfig.read(in, new RotaryConfig.Defaults("qwen3", 32768)));
    boolean bias = in.flag("attention_bias", false);
    in.finish();
    return new Qwen3(config, bias);
  }

  @Override
  Map<String, Shape> norms(int layer) {
    Map<String, Shape> shapes = super.norms(layer);
    shapes.put(name(layer, "self_attn.q_norm.weight"), new Shape(heads().size()));
    shapes.put(name(layer, "self_attn.k_norm.weight"), new Shape(heads().size()));
    return shapes;
  }

  @Override
  String beforeRotation(MethodWriter out, int layer, String which, String x) {
    return norm(out, x, name(layer, "self_attn." + which + "_norm.weight"), heads().size());
  }
}
