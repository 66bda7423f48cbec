package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.RmsNorm;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Gemma 2 (arXiv 2408.00118): every second layer with a window, norms behind attention and
 * feed-forward network too, logits and attention products bounded by a tanh, embeddings times
 * sqrt(E), norms that store their weight less 1.
 */
public final class Gemma2 extends RotaryDecoder {
  private final double attentionSoftcap;
  private final double logitSoftcap;

  private Gemma2(RotaryConfig config, boolean bias, double attentionSoftcap, double logitSoftcap) {
    super(config, new Biases(bias, bias, false));
    this.attentionSoftcap = attentionSoftcap;
    this.logitSoftcap = logitSoftcap;
  }

  static Gemma2 parse(JsonNode json, String where) {
    ConfigReader in = new ConfigReader(json, where);
    in.size("head_dim"); // its default is not hidden_size / num_attention_heads
    // Of early files; the reference reads hidden_activation and sliding_window.
    in.ignore("hidden_act", "sliding_window_size");
    RotaryConfig config =
        RotaryConfig.read(in, new RotaryConfig.Defaults("gemma2", 8192, 1e-6, true, 0, false));
    Attention.Heads heads = config.heads();
    double scalar = in.number("query_pre_attn_scalar", 256);
    if (scalar <= 0) {
      throw in.malformed("query_pre_attn_scalar", "is " + scalar + "; it must be positive");
    }
    config =
        config
            .withScale(1 / Math.sqrt(scalar))
            .withActivation(in, "hidden_activation", "gelu_pytorch_tanh")
            .withLayerTypes(in, window(in), alternating(config.model().layers()));
    boolean bias = in.flag("attention_bias", false);
    if (in.flag("use_bidirectional_attention", false)) {
      throw in.unsupported(
          "use_bidirectional_attention", "true", "a decoder's tokens see those before them only");
    }
    Gemma2 gemma =
        new Gemma2(
            config,
            bias,
            softcap(in, "attn_logit_softcapping", 50),
            softcap(in, "final_logit_softcapping", 30));
    in.finish();
    return gemma;
  }

  private static int window(ConfigReader in) {
    return in.window("sliding_window", 4096);
  }

  private static List<String> alternating(int layers) {
    return IntStream.range(0, layers)
        .mapToObj(i -> i % 2 == 0 ? "sliding_attention" : "full_attention")
        .toList();
  }

  /** 0, for none, where the key is null. */
  private static double softcap(ConfigReader in, String key, double absent) {
    double cap = in.number(key, in.present(key) ? 0 : absent);
    if (cap < 0 || in.has(key) && cap == 0) {
      throw in.malformed(key, "is " + cap + "; it must be positive, or null for none");
    }
    return cap;
  }

  @Override
  public double logitSoftcap() {
    return logitSoftcap;
  }

  @Override
  public Initial initial(String name) {
    return isNorm(name) ? Initial.constant(0) : super.initial(name);
  }

  @Override
  Map<String, Shape> norms(int layer) {
    Map<String, Shape> shapes = super.norms(layer);
    Shape e = new Shape(hiddenSize());
    shapes.put(name(layer, "pre_feedforward_layernorm.weight"), e);
    shapes.put(name(layer, "post_feedforward_layernorm.weight"), e);
    return shapes;
  }

  @Override
  double embeddingScale() {
    return (float) Math.sqrt(hiddenSize());
  }

  @Override
  String norm(MethodWriter out, String x, String weight, int size) {
    return RmsNorm.emitShifted(out, x, weight, size, rmsNormEps());
  }

  @Override
  Attention.Form form(int layer) {
    return super.form(layer).withSoftcap(attentionSoftcap);
  }

  @Override
  String afterAttention(MethodWriter out, int layer, String x) {
    return norm(out, x, name(layer, "post_attention_layernorm.weight"), hiddenSize());
  }

  @Override
  String beforeFeedForward(MethodWriter out, int layer, String x) {
    return norm(out, x, name(layer, "pre_feedforward_layernorm.weight"), hiddenSize());
  }

  @Override
  String afterFeedForward(MethodWriter out, int layer, String x) {
    return norm(out, x, name(layer, "post_feedforward_layernorm.weight"), hiddenSize());
  }
}
