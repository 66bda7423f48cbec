package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.Activation;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.LayerNorm;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Seams;
import io.attune.engine.nn.Sublayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * GPT-2 (Radford et al. 2019): pre-norm layers with biases, learned positions, one transposed layer
 * for queries, keys and values.
 */
public final class Gpt2 implements DecoderModel {

  /**
   * {@code config.json} as far as it changes numbers.
   *
   * @param scaleByLayer whether products of query and key are divided by the layer's number too
   */
  public record Config(
      ModelConfig model,
      int innerSize,
      Attention.Heads heads,
      double layerNormEps,
      String activation,
      boolean scaleByLayer) {

    /** Refuses, by name, any setting that is not implemented. */
    static Config parse(JsonNode json, String where) {
      ConfigReader in = new ConfigReader(json, where);
      int hidden = in.size("n_embd", 768);
      int heads = in.size("n_head", 12);
      if (hidden % heads != 0) {
        throw in.malformed("n_head", "does not divide n_embd");
      }
      int positions = in.size("n_positions", 1024);
      // Of early files; the reference reads n_positions, and none of the others.
      in.ignore("n_ctx", "n_special", "predict_special_tokens", "output_past");
      in.ignore("attn_pdrop", "embd_pdrop", "resid_pdrop");
      // How half precision is kept from overflowing; the same numbers otherwise.
      in.ignore("reorder_and_upcast_attn");
      in.only("add_cross_attention", "false", "false");
      in.ignore( // of GPT2DoubleHeadsModel
          "summary_activation",
          "summary_first_dropout",
          "summary_proj_to_labels",
          "summary_type",
          "summary_use_proj");
      List<Integer> bos = in.ids("bos_token_id");
      ModelConfig model =
          new ModelConfig(
              "gpt2",
              in.size("vocab_size", 50257),
              hidden,
              in.size("n_layer", 12),
              positions,
              in.flag("tie_word_embeddings", true),
              in.number("initializer_range", 0.02),
              in.ids("eos_token_id"),
              bos.isEmpty() ? -1 : bos.get(0),
              in.integer("pad_token_id", -1));
      int headSize = hidden / heads;
      double scale = in.flag("scale_attn_weights", true) ? 1 / Math.sqrt(headSize) : 1;
      Config config =
          new Config(
              model,
              in.size("n_inner", 4 * hidden),
              new Attention.Heads(heads, heads, headSize, scale),
              in.number("layer_norm_epsilon", 1e-5),
              Activation.require(
                  in.text("activation_function", "gelu_new"), "'activation_function'"),
              in.flag("scale_attn_by_inverse_layer_idx", false));
      in.finish();
      return config;
    }
  }

  private static final String PREFIX = "transformer.";
  private static final String POSITIONS = PREFIX + "wpe.weight";

  private final Config config;

  public Gpt2(Config config) {
    this.config = config;
  }

  static Gpt2 parse(JsonNode json, String where) {
    return new Gpt2(Config.parse(json, where));
  }

  @Override
  public ModelConfig config() {
    return config.model();
  }

  @Override
  public Attention.Heads heads() {
    return config.heads();
  }

  /** Positions are learned: there is none beyond the table. */
  @Override
  public int longest() {
    return config.model().maxPositions();
  }

  @Override
  public Map<String, Shape> parameters() {
    Shape e = new Shape(config.model().hiddenSize());
    Map<String, Shape> shapes = new LinkedHashMap<>();
    shapes.put(embedding().weight(), embedding().shape());
    shapes.put(POSITIONS, new Shape(longest(), config.model().hiddenSize()));
    for (int i = 0; i < layers(); i++) {
      putNorm(shapes, name(i, "ln_1"), e);
      putNorm(shapes, name(i, "ln_2"), e);
      for (Linear linear : linears(i)) {
        shapes.put(linear.weight(), linear.shape());
        shapes.put(linear.biasName(), new Shape(linear.outputs()));
      }
    }
    putNorm(shapes, PREFIX + "ln_f", e);
    shapes.put(headWeight(), embedding().shape());
    return shapes;
  }

  private static void putNorm(Map<String, Shape> shapes, String module, Shape e) {
    shapes.put(module + ".weight", e);
    shapes.put(module + ".bias", e);
  }

  /**
   * Layers that write into the stream start smaller by the square root of how many there are, as in
   * the paper.
   */
  @Override
  public Initial initial(String name) {
    double deviation = config.model().initializerRange();
    if (name.endsWith(".bias")) {
      return Initial.constant(0);
    } else if (name.contains(".ln_")) {
      return Initial.constant(1);
    } else if (name.endsWith(".c_proj.weight")) {
      return Initial.normal(deviation / Math.sqrt(2.0 * layers()));
    }
    return Initial.normal(deviation);
  }

  @Override
  public List<Linear> linears() {
    List<Linear> all = new ArrayList<>();
    for (int i = 0; i < layers(); i++) {
      all.addAll(linears(i));
    }
    return all;
  }

  @Override
  public List<Sublayer> sublayers() {
    return parts().all();
  }

  private Sublayers parts() {
    return new Sublayers(PREFIX + "h.", layers(), config.model().hiddenSize());
  }

  private List<Linear> linears(int i) {
    int e = config.model().hiddenSize();
    int f = config.innerSize();
    return List.of(
        new Linear(name(i, "attn.c_attn"), e, 3 * e, true, true),
        new Linear(name(i, "attn.c_proj"), e, e, true, true),
        new Linear(name(i, "mlp.c_fc"), e, f, true, true),
        new Linear(name(i, "mlp.c_proj"), f, e, true, true));
  }

  @Override
  public String prefix() {
    return PREFIX;
  }

  @Override
  public Embedding embedding() {
    return new Embedding(PREFIX + "wte", config.model().vocabSize(), config.model().hiddenSize());
  }

  @Override
  public List<String> state() {
    return List.of();
  }

  @Override
  public String headWeight() {
    return config.model().tieWordEmbeddings() ? embedding().weight() : "lm_head.weight";
  }

  @Override
  public void embed(MethodWriter out, Seams seams) {
    String tokens = seams.projection().embedding(out, "ids", embedding());
    String positions = out.value("torch.embedding(%s, positions)", out.weight(POSITIONS));
    out.line("h = torch.add(%s, %s)", tokens, positions);
  }

  @Override
  public void layer(MethodWriter out, int i, Seams seams) {
    Projection projection = seams.projection();
    List<Linear> linears = linears(i);
    int e = config.model().hiddenSize();
    String x = LayerNorm.emit(out, "h", name(i, "ln_1"), e, config.layerNormEps());
    String qkv = projection.emit(out, x, linears.subList(0, 1)).get(0); // [N, 3 * E]
    String[] parts = new String[3];
    for (int part = 0; part < 3; part++) {
      String slice = out.value("torch.slice(%s, 1, %d, %d)", qkv, part * e, (part + 1) * e);
      parts[part] =
          out.value("torch.view(%s, [-1, %d, %d])", slice, heads().queries(), heads().size());
    }
    String a = seams.attention().emit(out, form(i), parts[0], parts[1], parts[2]);
    String o = projection.emit(out, a, linears.subList(1, 2)).get(0); // [N, E]
    String middle = seams.residual().emit(out, parts().selfAttention(i), "h", o);
    x = LayerNorm.emit(out, middle, name(i, "ln_2"), e, config.layerNormEps());
    String inner = projection.emit(out, x, linears.subList(2, 3)).get(0); // [N, F]
    inner = Activation.emit(out, config.activation(), inner);
    String down = projection.emit(out, inner, linears.subList(3, 4)).get(0); // [N, E]
    out.line("h = %s", seams.residual().emit(out, parts().feedForward(i), middle, down));
  }

  private Attention.Form form(int i) {
    Attention.Heads all = heads();
    double scale = config.scaleByLayer() ? all.scale() / (i + 1) : all.scale();
    return Attention.Form.causal(
        new Attention.Heads(all.queries(), all.keyValues(), all.size(), scale), i);
  }

  @Override
  public void finish(MethodWriter out, Seams seams) {
    int e = config.model().hiddenSize();
    out.line("h = %s", LayerNorm.emit(out, "h", PREFIX + "ln_f", e, config.layerNormEps()));
  }

  private static String name(int layer, String rest) {
    return PREFIX + "h." + layer + "." + rest;
  }
}
