package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.Activation;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.LayerNorm;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Residual;
import io.attune.engine.nn.Seams;
import io.attune.engine.nn.Sublayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * BART (Lewis et al., arXiv 1910.13461): post-norm encoder and decoder with learned positions and
 * biases everywhere.
 */
public final class Bart implements EncoderDecoderModel {
  private static final double NORM_EPS = 1e-5;

  /** The rows of the table of positions that come before position 0. */
  private static final int POSITION_OFFSET = 2;

  /** {@code config.json} as far as it changes numbers. */
  public record Config(
      ModelConfig model,
      int decoderLayers,
      int encoderHeads,
      int decoderHeads,
      int encoderFeedForwardSize,
      int decoderFeedForwardSize,
      String activation,
      boolean scaleEmbedding,
      int decoderStartTokenId,
      Dropout dropout) {

    /** Refuses, by name, any setting that is not implemented. */
    static Config parse(JsonNode json, String where) {
      ConfigReader in = new ConfigReader(json, where);
      in.ignore("classifier_dropout", "classif_dropout");
      in.ignore("encoder_layerdrop", "decoder_layerdrop", "output_past");
      in.ignore("_num_labels", "gradient_checkpointing", "num_hidden_layers");
      in.ignore("force_bos_token_to_be_generated"); // old name of forced_bos_token_id
      in.only("normalize_before", "false", "false");
      in.only("normalize_embedding", "true", "true");
      in.only("tie_word_embeddings", "true", "true");
      String activation = in.text("activation_function", "gelu");
      Activation.require(activation, where + ": 'activation_function'");
      int hidden = in.size("d_model");
      int encoderHeads = in.size("encoder_attention_heads");
      int decoderHeads = in.size("decoder_attention_heads");
      if (hidden % encoderHeads != 0 || hidden % decoderHeads != 0) {
        throw in.malformed("d_model", "is no multiple of the number of heads");
      }
      List<Integer> bos = in.ids("bos_token_id");
      ModelConfig model =
          new ModelConfig(
              "bart",
              in.size("vocab_size"),
              hidden,
              in.size("encoder_layers"),
              in.size("max_position_embeddings"),
              true,
              in.number("init_std", 0.02),
              in.ids("eos_token_id"),
              bos.isEmpty() ? -1 : bos.get(0),
              in.integer("pad_token_id", 1));
      Config config =
          new Config(
              model,
              in.size("decoder_layers"),
              encoderHeads,
              decoderHeads,
              in.size("encoder_ffn_dim"),
              in.size("decoder_ffn_dim"),
              activation,
              in.flag("scale_embedding", false),
              in.integer("decoder_start_token_id", 2),
              dropout(in));
      in.finish();
      return config;
    }

    private static Dropout dropout(ConfigReader in) {
      double hidden = in.dropout("dropout", 0.1);
      double attention = in.dropout("attention_dropout", 0);
      double activation = in.dropout("activation_dropout", 0);
      return new Dropout(hidden, hidden, attention, activation, 0);
    }
  }

  private static final String PREFIX = "model.";
  private static final String SHARED = PREFIX + "shared";
  private static final String BIAS = "final_logits_bias";

  private final Config config;
  private final Side encoder;
  private final Side decoder;

  public Bart(Config config) {
    this.config = config;
    int layers = config.model().layers();
    this.encoder =
        new Side("encoder", layers, config.encoderHeads(), config.encoderFeedForwardSize(), false);
    this.decoder =
        new Side(
            "decoder",
            config.decoderLayers(),
            config.decoderHeads(),
            config.decoderFeedForwardSize(),
            true);
  }

  static Bart parse(JsonNode json, String where) {
    return new Bart(Config.parse(json, where));
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
    return SHARED + ".weight";
  }

  @Override
  public String headBias() {
    return BIAS;
  }

  @Override
  public int decoderStartTokenId() {
    return config.decoderStartTokenId();
  }

  @Override
  public List<Integer> forcedEosTokenIds() {
    return config.model().eosTokenIds();
  }

  @Override
  public double attentionDropout() {
    return config.dropout().attention();
  }

  @Override
  public Initial initial(String name) {
    Initial usual = EncoderDecoderModel.super.initial(name);
    return name.equals(headWeight()) ? usual.withZeroRow(config.model().padTokenId()) : usual;
  }

  @Override
  public Map<String, Shape> parameters() {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    shapes.put(encoder.embedding().weight(), encoder.embedding().shape());
    encoder.parameters(shapes);
    decoder.parameters(shapes);
    return shapes;
  }

  @Override
  public Map<String, Shape> buffers() {
    return Map.of(BIAS, new Shape(1, config.model().vocabSize()));
  }

  @Override
  public List<String> aliases(String name) {
    return name.equals(headWeight())
        ? List.of(
            PREFIX + "encoder.embed_tokens.weight",
            PREFIX + "decoder.embed_tokens.weight",
            "lm_head.weight")
        : List.of();
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
    return PREFIX;
  }

  /** The encoder, or the decoder: the same layers, the latter's with cross-attention. */
  private final class Side implements CrossStack {
    private final String name;
    private final int layers;
    private final int heads;
    private final int feedForwardSize;
    private final boolean decodes;

    Side(String name, int layers, int heads, int feedForwardSize, boolean decodes) {
      this.name = PREFIX + name + ".";
      this.layers = layers;
      this.heads = heads;
      this.feedForwardSize = feedForwardSize;
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
      int size = config.model().hiddenSize() / heads;
      return new Attention.Heads(heads, heads, size, 1 / Math.sqrt(size));
    }

    @Override
    public List<String> state() {
      return List.of();
    }

    @Override
    public void embed(MethodWriter out, Seams seams) {
      String tokens = seams.projection().embedding(out, "ids", embedding());
      if (config.scaleEmbedding()) {
        double scale = Math.sqrt(config.model().hiddenSize());
        tokens = out.value("torch.mul(%s, %s)", tokens, MethodWriter.number(scale));
      }
      String places =
          out.value(
              "torch.embedding(%s, torch.add(positions, %d))",
              out.weight(positions()), POSITION_OFFSET);
      String sum = out.value("torch.add(%s, %s)", tokens, places);
      String normed = norm(out, sum, name + "layernorm_embedding");
      out.line("h = %s", seams.drop(out, normed, config.dropout().hidden()));
    }

    @Override
    public void layer(MethodWriter out, int i, Seams seams) {
      Attention.Form form =
          decodes ? Attention.Form.causal(heads(), i) : Attention.Form.bidirectional(heads(), i);
      List<Linear> self = attention(i, "self_attn");
      List<String> qkv = seams.projection().emit(out, "h", self.subList(0, 3)); // [N, E] x 3
      String a =
          seams
              .attention()
              .emit(
                  out,
                  form,
                  byHead(out, qkv.get(0)),
                  byHead(out, qkv.get(1)),
                  byHead(out, qkv.get(2)));
      double rate = config.dropout().hidden();
      String o = seams.drop(out, project(out, seams, a, self.get(3)), rate);
      Residual residual = seams.residual();
      UnaryOperator<String> norm = sum -> norm(out, sum, at(i, "self_attn_layer_norm"));
      String h = residual.emit(out, parts().selfAttention(i), "h", o, norm);
      if (decodes) {
        List<Linear> cross = attention(i, "encoder_attn");
        String q = byHead(out, project(out, seams, h, cross.get(0)));
        a = seams.cross().emit(out, heads(), q, memory -> memory(out, i, memory, seams));
        o = seams.drop(out, project(out, seams, a, cross.get(3)), rate);
        norm = sum -> norm(out, sum, at(i, "encoder_attn_layer_norm"));
        h = residual.emit(out, parts().crossAttention(i), h, o, norm);
      }
      List<Linear> feedForward = feedForward(i);
      String wide = project(out, seams, h, feedForward.get(0)); // [N, F]
      String f = Activation.emit(out, config.activation(), wide);
      f = seams.drop(out, f, config.dropout().activation());
      o = seams.drop(out, project(out, seams, f, feedForward.get(1)), rate);
      norm = sum -> norm(out, sum, at(i, "final_layer_norm"));
      out.line("h = %s", residual.emit(out, parts().feedForward(i), h, o, norm));
    }

    @Override
    public List<String> memory(MethodWriter out, int i, String memory, Seams seams) {
      List<Linear> keyValue = attention(i, "encoder_attn").subList(1, 3);
      List<String> kv = seams.projection().emit(out, memory, keyValue);
      return List.of(byHead(out, kv.get(0)), byHead(out, kv.get(1)));
    }

    @Override
    public void finish(MethodWriter out, Seams seams) {
      // Post-norm: each layer ends with its norm.
    }

    void parameters(Map<String, Shape> shapes) {
      int e = config.model().hiddenSize();
      shapes.put(positions(), new Shape(config.model().maxPositions() + POSITION_OFFSET, e));
      List<String> norms = new ArrayList<>(List.of(name + "layernorm_embedding"));
      for (int i = 0; i < layers; i++) {
        norms.add(at(i, "self_attn_layer_norm"));
        if (decodes) {
          norms.add(at(i, "encoder_attn_layer_norm"));
        }
        norms.add(at(i, "final_layer_norm"));
      }
      for (String norm : norms) {
        shapes.put(norm + ".weight", new Shape(e));
        shapes.put(norm + ".bias", new Shape(e));
      }
      for (Linear linear : linears()) {
        shapes.put(linear.weight(), linear.shape());
        shapes.put(linear.biasName(), new Shape(linear.outputs()));
      }
    }

    List<Linear> linears() {
      List<Linear> all = new ArrayList<>();
      for (int i = 0; i < layers; i++) {
        all.addAll(attention(i, "self_attn"));
        if (decodes) {
          all.addAll(attention(i, "encoder_attn"));
        }
        all.addAll(feedForward(i));
      }
      return all;
    }

    private Sublayers parts() {
      int first = decodes ? encoder.layers : 0;
      return new Sublayers(name + "layers.", layers, first, decodes, config.model().hiddenSize());
    }

    private List<Linear> attention(int i, String module) {
      int e = config.model().hiddenSize();
      String prefix = at(i, module);
      return List.of(
          new Linear(prefix + ".q_proj", e, e, true),
          new Linear(prefix + ".k_proj", e, e, true),
          new Linear(prefix + ".v_proj", e, e, true),
          new Linear(prefix + ".out_proj", e, e, true));
    }

    private List<Linear> feedForward(int i) {
      int e = config.model().hiddenSize();
      return List.of(
          new Linear(at(i, "fc1"), e, feedForwardSize, true),
          new Linear(at(i, "fc2"), feedForwardSize, e, true));
    }

    private String positions() {
      return name + "embed_positions.weight";
    }

    private String norm(MethodWriter out, String x, String module) {
      return LayerNorm.emit(out, x, module, config.model().hiddenSize(), NORM_EPS);
    }

    private String byHead(MethodWriter out, String x) {
      return out.value("torch.view(%s, [-1, %d, %d])", x, heads, heads().size());
    }

    private String project(MethodWriter out, Seams seams, String x, Linear linear) {
      return seams.projection().emit(out, x, List.of(linear)).get(0);
    }

    private String at(int i, String module) {
      return name + "layers." + i + "." + module;
    }
  }
}
