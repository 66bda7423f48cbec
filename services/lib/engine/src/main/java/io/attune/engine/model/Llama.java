package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.RmsNorm;
import io.attune.engine.nn.RotaryEmbedding;
import io.attune.engine.nn.Seams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Llama (Touvron et al., arXiv 2302.13971; grouped queries from arXiv 2307.09288): pre-norm decoder
 * with rotary positions and a gated feed-forward network.
 */
public final class Llama implements DecoderModel {

  /**
   * {@code config.json} as far as it changes numbers. Reads the spellings of transformers 4 ({@code
   * rope_theta}, {@code rope_scaling}) and 5 ({@code rope_parameters}).
   *
   * @param frequencies rotary frequencies with their scaling applied, [D/2]
   */
  public record Config(
      ModelConfig model,
      int intermediateSize,
      int attentionHeads,
      int keyValueHeads,
      int headSize,
      double rmsNormEps,
      boolean attentionBias,
      boolean mlpBias,
      float[] frequencies) {

    /** Refuses, by name, any setting that is not implemented. */
    static Config parse(JsonNode json, String where) {
      ConfigReader in = new ConfigReader(json, where);
      int hidden = in.size("hidden_size");
      int heads = in.size("num_attention_heads");
      int keyValueHeads = in.size("num_key_value_heads", heads);
      int headSize = in.size("head_dim", hidden / heads);
      if (heads % keyValueHeads != 0) {
        throw in.malformed("num_key_value_heads", "does not divide num_attention_heads");
      }
      if (headSize % 2 != 0) {
        throw in.malformed("head_dim", "is odd; rotary positions need pairs");
      }
      int maxPositions = in.size("max_position_embeddings", 2048);
      in.only("hidden_act", "silu", "silu");
      in.only("pretraining_tp", "1", "1");
      in.only("rope_interleaved", "false", "false");
      if (in.number("attention_dropout", 0) != 0) {
        throw in.unsupported(
            "attention_dropout", "not 0", "dropout in attention is not implemented");
      }
      List<Integer> bos = in.ids("bos_token_id");
      ModelConfig model =
          new ModelConfig(
              "llama",
              in.size("vocab_size"),
              hidden,
              in.size("num_hidden_layers"),
              maxPositions,
              in.flag("tie_word_embeddings", false),
              in.number("initializer_range", 0.02),
              in.ids("eos_token_id"),
              bos.isEmpty() ? -1 : bos.get(0),
              in.integer("pad_token_id", -1));
      Config config =
          new Config(
              model,
              in.size("intermediate_size"),
              heads,
              keyValueHeads,
              headSize,
              in.number("rms_norm_eps", 1e-6),
              in.flag("attention_bias", false),
              in.flag("mlp_bias", false),
              frequencies(in, headSize, maxPositions));
      in.finish();
      return config;
    }

    private static float[] frequencies(ConfigReader in, int headSize, int maxPositions) {
      double theta = in.number("rope_theta", 10000);
      ConfigReader rope = null;
      if (in.has("rope_parameters")) {
        rope = in.object("rope_parameters");
        theta = rope.number("rope_theta", theta);
      }
      if (in.has("rope_scaling")) {
        rope = in.object("rope_scaling");
        theta = rope.number("rope_theta", theta);
      }
      float[] plain = RotaryEmbedding.frequencies(headSize, theta);
      if (rope == null) {
        return plain;
      }
      // Early transformers 4 wrote "type".
      String type = rope.text("rope_type", rope.text("type", "default"));
      rope.text("type", type);
      float[] scaled =
          switch (type) {
            case "default" -> plain;
            case "linear" -> RotaryEmbedding.linear(plain, rope.number("factor"));
            case "llama3" ->
                RotaryEmbedding.llama3(
                    plain,
                    rope.number("factor"),
                    rope.number("low_freq_factor"),
                    rope.number("high_freq_factor"),
                    rope.number("original_max_position_embeddings", maxPositions));
            default ->
                throw rope.unsupported(
                    "rope_type", type, "implemented are default, linear and llama3");
          };
      rope.finish();
      return scaled;
    }
  }

  private static final String PREFIX = "model.";

  private final Config config;

  public Llama(Config config) {
    this.config = config;
  }

  static Llama parse(JsonNode json, String where) {
    return new Llama(Config.parse(json, where));
  }

  @Override
  public ModelConfig config() {
    return config.model();
  }

  @Override
  public Attention.Heads heads() {
    return new Attention.Heads(
        config.attentionHeads(),
        config.keyValueHeads(),
        config.headSize(),
        1 / Math.sqrt(config.headSize()));
  }

  @Override
  public Map<String, Shape> parameters() {
    int e = config.model().hiddenSize();
    Map<String, Shape> shapes = new LinkedHashMap<>();
    shapes.put(embedding().weight(), embedding().shape());
    for (int i = 0; i < config.model().layers(); i++) {
      for (Linear linear : layerLinears(i)) {
        shapes.put(linear.weight(), linear.shape());
        if (linear.bias()) {
          shapes.put(linear.biasName(), new Shape(linear.outputs()));
        }
      }
      shapes.put(name(i, "input_layernorm.weight"), new Shape(e));
      shapes.put(name(i, "post_attention_layernorm.weight"), new Shape(e));
    }
    shapes.put(PREFIX + "norm.weight", new Shape(e));
    shapes.put(headWeight(), new Shape(config.model().vocabSize(), e));
    return shapes;
  }

  @Override
  public List<Linear> linears() {
    List<Linear> all = new ArrayList<>();
    for (int i = 0; i < config.model().layers(); i++) {
      all.addAll(layerLinears(i));
    }
    return all;
  }

  @Override
  public Map<String, float[]> constants() {
    return Map.of("rotary.frequencies", config.frequencies());
  }

  @Override
  public String prefix() {
    return PREFIX;
  }

  @Override
  public Embedding embedding() {
    return new Embedding(
        PREFIX + "embed_tokens", config.model().vocabSize(), config.model().hiddenSize());
  }

  @Override
  public List<String> state() {
    return List.of("cos", "sin");
  }

  @Override
  public String headWeight() {
    return config.model().tieWordEmbeddings() ? embedding().weight() : "lm_head.weight";
  }

  @Override
  public void embed(MethodWriter out, Seams seams) {
    out.line("h = %s", seams.projection().embedding(out, "ids", embedding()));
    RotaryEmbedding.emitAngles(out, out.weight("rotary.frequencies"));
  }

  @Override
  public void layer(MethodWriter out, int i, Seams seams) {
    Projection projection = seams.projection();
    List<Linear> linears = layerLinears(i);
    Attention.Heads heads = heads();
    int e = config.model().hiddenSize();
    int d = heads.size();
    String x = RmsNorm.emit(out, "h", name(i, "input_layernorm.weight"), e, config.rmsNormEps());
    List<String> qkv = projection.emit(out, x, linears.subList(0, 3)); // [N, H * D], [N, K * D] x 2
    String q = out.value("torch.view(%s, [-1, %d, %d])", qkv.get(0), heads.queries(), d);
    String k = out.value("torch.view(%s, [-1, %d, %d])", qkv.get(1), heads.keyValues(), d);
    String v = out.value("torch.view(%s, [-1, %d, %d])", qkv.get(2), heads.keyValues(), d);
    String a =
        seams
            .attention()
            .emit(
                out,
                Attention.Form.causal(heads, i),
                RotaryEmbedding.emitRotation(out, q, d),
                RotaryEmbedding.emitRotation(out, k, d),
                v);
    String o = projection.emit(out, a, linears.subList(3, 4)).get(0); // [N, E]
    String middle = out.value("torch.add(h, %s)", o);
    x =
        RmsNorm.emit(
            out, middle, name(i, "post_attention_layernorm.weight"), e, config.rmsNormEps());
    List<String> gateUp = projection.emit(out, x, linears.subList(4, 6)); // [N, F] x 2
    String f = out.value("torch.mul(torch.silu(%s), %s)", gateUp.get(0), gateUp.get(1));
    String down = projection.emit(out, f, linears.subList(6, 7)).get(0); // [N, E]
    out.line("h = torch.add(%s, %s)", middle, down);
  }

  @Override
  public void finish(MethodWriter out) {
    String weight = PREFIX + "norm.weight";
    out.line(
        "h = %s", RmsNorm.emit(out, "h", weight, config.model().hiddenSize(), config.rmsNormEps()));
  }

  private List<Linear> layerLinears(int i) {
    int e = config.model().hiddenSize();
    int q = config.attentionHeads() * config.headSize();
    int kv = config.keyValueHeads() * config.headSize();
    int f = config.intermediateSize();
    boolean a = config.attentionBias();
    boolean m = config.mlpBias();
    return List.of(
        new Linear(name(i, "self_attn.q_proj"), e, q, a),
        new Linear(name(i, "self_attn.k_proj"), e, kv, a),
        new Linear(name(i, "self_attn.v_proj"), e, kv, a),
        new Linear(name(i, "self_attn.o_proj"), q, e, a),
        new Linear(name(i, "mlp.gate_proj"), e, f, m),
        new Linear(name(i, "mlp.up_proj"), e, f, m),
        new Linear(name(i, "mlp.down_proj"), f, e, m));
  }

  private String name(int layer, String rest) {
    return PREFIX + "layers." + layer + "." + rest;
  }
}
