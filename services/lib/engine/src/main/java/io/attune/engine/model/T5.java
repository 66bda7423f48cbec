package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.Activation;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.RelativeBias;
import io.attune.engine.nn.RmsNorm;
import io.attune.engine.nn.Seams;
import io.attune.engine.nn.Sublayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * T5 (Raffel et al., arXiv 1910.10683) and its version 1.1 (arXiv 2002.05202), FLAN's too: pre-norm
 * encoder and decoder with relative position bias, unscaled attention and no biases.
 */
public final class T5 implements EncoderDecoderModel {

  /**
   * {@code config.json} as far as it changes numbers.
   *
   * @param headSize {@code d_kv}; heads x headSize need not be the hidden size
   * @param gated whether the feed-forward network has a gate (version 1.1)
   * @param scaledHead whether hidden states are divided by the square root of their size before the
   *     head: version 1.0, where the head is the embedding; 1.1 has a head of its own
   * @param dropout {@code dropout_rate}, wherever elements are dropped
   * @param initializerFactor multiplies fresh weights
   */
  public record Config(
      ModelConfig model,
      int decoderLayers,
      int heads,
      int headSize,
      int feedForwardSize,
      String activation,
      boolean gated,
      int buckets,
      int maxDistance,
      double layerNormEps,
      boolean scaledHead,
      int decoderStartTokenId,
      double dropout,
      double initializerFactor) {

    /** Refuses, by name, any setting that is not implemented. */
    static Config parse(JsonNode json, String where) {
      ConfigReader in = new ConfigReader(json, where);
      in.ignore("classifier_dropout", "n_positions", "output_past");
      String projection = in.text("feed_forward_proj", "relu");
      boolean gated = projection.startsWith("gated-");
      String activation = gated ? projection.substring("gated-".length()) : projection;
      if (projection.equals("gated-gelu")) {
        activation = "gelu_new"; // what T5 1.1 was trained with
      }
      Activation.require(activation, where + ": 'feed_forward_proj'");
      in.only("dense_act_fn", activation, activation);
      in.only("is_gated_act", Boolean.toString(gated), Boolean.toString(gated));
      int layers = in.size("num_layers");
      int buckets = in.size("relative_attention_num_buckets", 32);
      int maxDistance = in.size("relative_attention_max_distance", 128);
      if (buckets % 4 != 0 || maxDistance <= buckets / 2) {
        throw in.malformed(
            "relative_attention_num_buckets",
            "is " + buckets + ", which cannot be split up to distance " + maxDistance);
      }
      int pad = in.integer("pad_token_id", 0);
      ModelConfig model =
          new ModelConfig(
              "t5",
              in.size("vocab_size"),
              in.size("d_model"),
              layers,
              Integer.MAX_VALUE, // distances, not positions
              in.flag("tie_word_embeddings", true),
              Math.pow(in.size("d_model"), -0.5) * in.number("initializer_factor", 1),
              in.ids("eos_token_id"),
              -1,
              pad);
      Config config =
          new Config(
              model,
              in.size("num_decoder_layers", layers),
              in.size("num_heads"),
              in.size("d_kv"),
              in.size("d_ff"),
              activation,
              gated,
              buckets,
              maxDistance,
              in.number("layer_norm_epsilon", 1e-6),
              // transformers 5 says "tied" of every T5 and keeps apart here what that used to mean.
              in.flag("scale_decoder_outputs", model.tieWordEmbeddings()),
              in.integer("decoder_start_token_id", pad),
              in.dropout("dropout_rate", 0.1),
              in.number("initializer_factor", 1));
      in.finish();
      return config;
    }
  }

  private static final String SHARED = "shared";
  private static final String HEAD = "lm_head.weight";

  private final Config config;
  private final Side encoder;
  private final Side decoder;

  public T5(Config config) {
    this.config = config;
    this.encoder = new Side("encoder", config.model().layers(), false);
    this.decoder = new Side("decoder", config.decoderLayers(), true);
  }

  static T5 parse(JsonNode json, String where) {
    return new T5(Config.parse(json, where));
  }

  @Override
  public ModelConfig config() {
    return config.model();
  }

  @Override
  public Stack encoder() {
    return encoder;
  }

  @Override
  public CrossStack decoder() {
    return decoder;
  }

  @Override
  public String headWeight() {
    return config.scaledHead() ? SHARED + ".weight" : HEAD;
  }

  @Override
  public @Nullable String headBias() {
    return null;
  }

  @Override
  public int decoderStartTokenId() {
    return config.decoderStartTokenId();
  }

  @Override
  public double attentionDropout() {
    return config.dropout();
  }

  /** As transformers draws them: each matrix by what it reads, queries scaled besides. */
  @Override
  public Initial initial(String name) {
    double factor = config.initializerFactor();
    if (name.endsWith("layer_norm.weight")) {
      return Initial.constant(factor);
    }
    if (name.equals(SHARED + ".weight") || name.equals(HEAD)) {
      return Initial.normal(factor);
    }
    double e = config.model().hiddenSize();
    double reads = e;
    if (name.endsWith(".q.weight")) {
      reads = e * config.headSize();
    } else if (name.endsWith(".o.weight")) {
      reads = (double) config.heads() * config.headSize();
    } else if (name.endsWith(".wo.weight")) {
      reads = config.feedForwardSize();
    }
    return Initial.normal(factor / Math.sqrt(reads));
  }

  @Override
  public Map<String, Shape> parameters() {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    shapes.put(encoder.embedding().weight(), encoder.embedding().shape());
    encoder.parameters(shapes);
    decoder.parameters(shapes);
    shapes.put(headWeight(), encoder.embedding().shape());
    return shapes;
  }

  @Override
  public List<String> aliases(String name) {
    return switch (name) {
      case SHARED + ".weight" ->
          List.of("encoder.embed_tokens.weight", "decoder.embed_tokens.weight");
      case HEAD -> config.model().tieWordEmbeddings() ? List.of(SHARED + ".weight") : List.of();
      default -> List.of();
    };
  }

  @Override
  public List<Linear> linears() {
    List<Linear> all = new ArrayList<>(encoder.linears());
    all.addAll(decoder.linears());
    return all;
  }

  @Override
  public List<Sublayer> sublayers() {
    List<Sublayer> all = new ArrayList<>(encoder.parts().all());
    all.addAll(decoder.parts().all());
    return all;
  }

  @Override
  public String prefix() {
    return ""; // a bare T5Model names its weights alike
  }

  /** The encoder, or the decoder: the same layers, the latter's with cross-attention. */
  private final class Side implements CrossStack {
    private final String name;
    private final int layers;
    private final boolean decodes;

    Side(String name, int layers, boolean decodes) {
      this.name = name;
      this.layers = layers;
      this.decodes = decodes;
    }

    @Override
    public int layers() {
      return layers;
    }

    @Override
    public Embedding embedding() {
      return new Embedding(SHARED, config.model().vocabSize(), config.model().hiddenSize());
    }

    @Override
    public Attention.Heads heads() {
      return new Attention.Heads(config.heads(), config.heads(), config.headSize(), 1);
    }

    @Override
    public List<String> state() {
      return List.of("bias");
    }

    @Override
    public void embed(MethodWriter out, Seams seams) {
      String tokens = seams.projection().embedding(out, "ids", embedding());
      out.line("h = %s", seams.drop(out, tokens, config.dropout()));
      out.line("bias = %s", bias().emit(out, seams.attention().emitDistances(out)));
    }

    @Override
    public void layer(MethodWriter out, int i, Seams seams) {
      Attention.Form form =
          decodes ? Attention.Form.causal(heads(), i) : Attention.Form.bidirectional(heads(), i);
      List<Linear> self = attention(i, 0, "SelfAttention");
      String x = norm(out, "h", i, 0);
      List<String> qkv = seams.projection().emit(out, x, self.subList(0, 3)); // [N, H * D] x 3
      String a =
          seams
              .attention()
              .emit(
                  out,
                  form.withBias(),
                  byHead(out, qkv.get(0)),
                  byHead(out, qkv.get(1)),
                  byHead(out, qkv.get(2)));
      String o = dropped(out, seams, a, self.get(3));
      String h = seams.residual().emit(out, parts().selfAttention(i), "h", o);
      if (decodes) {
        List<Linear> cross = attention(i, 1, "EncDecAttention");
        String q = byHead(out, project(out, seams, norm(out, h, i, 1), cross.get(0)));
        a = seams.cross().emit(out, heads(), q, memory -> memory(out, i, memory, seams));
        o = dropped(out, seams, a, cross.get(3));
        h = seams.residual().emit(out, parts().crossAttention(i), h, o);
      }
      List<Linear> feedForward = feedForward(i);
      int last = feedForward.size() - 1;
      x = norm(out, h, i, decodes ? 2 : 1);
      List<String> wide = seams.projection().emit(out, x, feedForward.subList(0, last)); // [N, F]
      String f = Activation.emit(out, config.activation(), wide.get(0));
      if (config.gated()) {
        f = out.value("torch.mul(%s, %s)", f, wide.get(1));
      }
      f = seams.drop(out, f, config.dropout());
      o = dropped(out, seams, f, feedForward.get(last));
      out.line("h = %s", seams.residual().emit(out, parts().feedForward(i), h, o));
    }

    @Override
    public List<String> memory(MethodWriter out, int i, String memory, Seams seams) {
      List<Linear> keyValue = attention(i, 1, "EncDecAttention").subList(1, 3);
      List<String> kv = seams.projection().emit(out, memory, keyValue);
      return List.of(byHead(out, kv.get(0)), byHead(out, kv.get(1)));
    }

    @Override
    public void finish(MethodWriter out, Seams seams) {
      String weight = name + ".final_layer_norm.weight";
      int e = config.model().hiddenSize();
      String normed = RmsNorm.emit(out, "h", weight, e, config.layerNormEps());
      out.line("h = %s", seams.drop(out, normed, config.dropout()));
      if (decodes && config.scaledHead()) {
        out.line("h = torch.mul(h, %s)", MethodWriter.number(1 / Math.sqrt(e)));
      }
    }

    void parameters(Map<String, Shape> shapes) {
      shapes.put(bias().weight(), new Shape(config.buckets(), config.heads()));
      Shape e = new Shape(config.model().hiddenSize());
      for (int i = 0; i < layers; i++) {
        for (int part = 0; part < (decodes ? 3 : 2); part++) {
          shapes.put(part(i, part) + "layer_norm.weight", e);
        }
      }
      linears().forEach(linear -> shapes.put(linear.weight(), linear.shape()));
      shapes.put(name + ".final_layer_norm.weight", e);
    }

    List<Linear> linears() {
      List<Linear> all = new ArrayList<>();
      for (int i = 0; i < layers; i++) {
        all.addAll(attention(i, 0, "SelfAttention"));
        if (decodes) {
          all.addAll(attention(i, 1, "EncDecAttention"));
        }
        all.addAll(feedForward(i));
      }
      return all;
    }

    private Sublayers parts() {
      int first = decodes ? encoder.layers : 0;
      return new Sublayers(name + ".block.", layers, first, decodes, config.model().hiddenSize());
    }

    private RelativeBias bias() {
      return new RelativeBias(
          part(0, 0) + "SelfAttention.relative_attention_bias.weight",
          !decodes,
          config.buckets(),
          config.maxDistance());
    }

    private List<Linear> attention(int i, int part, String module) {
      int e = config.model().hiddenSize();
      int inner = config.heads() * config.headSize();
      String prefix = part(i, part) + module;
      return List.of(
          new Linear(prefix + ".q", e, inner, false),
          new Linear(prefix + ".k", e, inner, false),
          new Linear(prefix + ".v", e, inner, false),
          new Linear(prefix + ".o", inner, e, false));
    }

    private List<Linear> feedForward(int i) {
      int e = config.model().hiddenSize();
      int f = config.feedForwardSize();
      String prefix = part(i, decodes ? 2 : 1) + "DenseReluDense.";
      Linear wo = new Linear(prefix + "wo", f, e, false);
      return config.gated()
          ? List.of(
              new Linear(prefix + "wi_0", e, f, false),
              new Linear(prefix + "wi_1", e, f, false),
              wo)
          : List.of(new Linear(prefix + "wi", e, f, false), wo);
    }

    private String norm(MethodWriter out, String x, int i, int part) {
      String weight = part(i, part) + "layer_norm.weight";
      return RmsNorm.emit(out, x, weight, config.model().hiddenSize(), config.layerNormEps());
    }

    private String byHead(MethodWriter out, String x) {
      return out.value("torch.view(%s, [-1, %d, %d])", x, config.heads(), config.headSize());
    }

    private String project(MethodWriter out, Seams seams, String x, Linear linear) {
      return seams.projection().emit(out, x, List.of(linear)).get(0);
    }

    /** What a layer adds to the hidden states. */
    private String dropped(MethodWriter out, Seams seams, String x, Linear linear) {
      return seams.drop(out, project(out, seams, x, linear), config.dropout());
    }

    private String part(int i, int part) {
      return name + ".block." + i + ".layer." + part + ".";
    }
  }
}
