package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Activation;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.RmsNorm;
import io.attune.engine.nn.Seams;
import io.attune.engine.nn.Sublayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The decoder that Llama made common: pre-norm layers, rotary positions, grouped queries and a
 * gated feed-forward network. A family says what it does in another way.
 */
abstract class RotaryDecoder implements DecoderModel {
  private static final String PREFIX = "model.";

  private final RotaryConfig config;
  private final Biases biases;

  /** Which linear layers have a bias. */
  record Biases(boolean queryKeyValue, boolean attentionOutput, boolean feedForward) {
    static final Biases NONE = new Biases(false, false, false);
  }

  RotaryDecoder(RotaryConfig config, Biases biases) {
    this.config = config;
    this.biases = biases;
  }

  // What a family may do in another way.

  @Override
  public Initial initial(String name) {
    Initial normal = Initial.normal(config.model().initializerRange());
    if (name.equals(embedding().weight())) {
      return normal.withZeroRow(config.model().padTokenId());
    } else if (name.endsWith(".bias")) {
      return Initial.constant(0);
    }
    return isNorm(name) ? Initial.constant(1) : normal;
  }

  double embeddingScale() {
    return 1;
  }

  /** What turns a layer's input into queries, keys and values: three layers, or one for all. */
  List<Linear> queryKeyValue(int layer) {
    int e = config.model().hiddenSize();
    int kv = heads().keyValues() * heads().size();
    boolean bias = biases.queryKeyValue();
    return List.of(
        new Linear(name(layer, "self_attn.q_proj"), e, heads().queries() * heads().size(), bias),
        new Linear(name(layer, "self_attn.k_proj"), e, kv, bias),
        new Linear(name(layer, "self_attn.v_proj"), e, kv, bias));
  }

  /** The two that open the feed-forward network: gate and up, or one for both. */
  List<Linear> gateUp(int layer) {
    int e = config.model().hiddenSize();
    int f = config.intermediateSize();
    return List.of(
        new Linear(name(layer, "mlp.gate_proj"), e, f, biases.feedForward()),
        new Linear(name(layer, "mlp.up_proj"), e, f, biases.feedForward()));
  }

  /** Names and shapes of a layer's weights beside its linear layers. */
  Map<String, Shape> norms(int layer) {
    Shape e = new Shape(config.model().hiddenSize());
    Map<String, Shape> shapes = new LinkedHashMap<>();
    shapes.put(name(layer, "input_layernorm.weight"), e);
    shapes.put(name(layer, "post_attention_layernorm.weight"), e);
    return shapes;
  }

  /** Emits the norm of a variable whose last dimension has {@code size} elements. */
  String norm(MethodWriter out, String x, String weight, int size) {
    return RmsNorm.emit(out, x, weight, size, config.rmsNormEps());
  }

  /** Changes queries [N, H, D] or keys [N, K, D] before they are rotated. */
  String beforeRotation(MethodWriter out, int layer, String which, String x) {
    return x;
  }

  Attention.Form form(int layer) {
    return Attention.Form.causal(heads(), layer).withWindow(config.windows().get(layer));
  }

  /** Changes what attention adds to the stream, [N, E]. */
  String afterAttention(MethodWriter out, int layer, String x) {
    return x;
  }

  /** Emits the norm before the feed-forward network. */
  String beforeFeedForward(MethodWriter out, int layer, String x) {
    return norm(out, x, name(layer, "post_attention_layernorm.weight"), hiddenSize());
  }

  /** Changes what the feed-forward network adds to the stream, [N, E]. */
  String afterFeedForward(MethodWriter out, int layer, String x) {
    return x;
  }

  // What all do alike.

  @Override
  public final ModelConfig config() {
    return config.model();
  }

  static boolean isNorm(String weight) {
    return weight.endsWith("norm.weight");
  }

  final double rmsNormEps() {
    return config.rmsNormEps();
  }

  final int hiddenSize() {
    return config.model().hiddenSize();
  }

  final int intermediateSize() {
    return config.intermediateSize();
  }

  static String name(int layer, String rest) {
    return PREFIX + "layers." + layer + "." + rest;
  }

  @Override
  public final Attention.Heads heads() {
    return config.heads();
  }

  @Override
  public final Map<String, Shape> parameters() {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    shapes.put(embedding().weight(), embedding().shape());
    for (int i = 0; i < layers(); i++) {
      for (Linear linear : linears(i)) {
        shapes.put(linear.weight(), linear.shape());
        if (linear.bias()) {
          shapes.put(linear.biasName(), new Shape(linear.outputs()));
        }
      }
      shapes.putAll(norms(i));
    }
    shapes.put(PREFIX + "norm.weight", new Shape(hiddenSize()));
    shapes.put(headWeight(), embedding().shape());
    return shapes;
  }

  @Override
  public final List<Linear> linears() {
    List<Linear> all = new ArrayList<>();
    for (int i = 0; i < layers(); i++) {
      all.addAll(linears(i));
    }
    return all;
  }

  private List<Linear> linears(int layer) {
    List<Linear> all = new ArrayList<>(queryKeyValue(layer));
    all.add(attentionOutput(layer));
    all.addAll(gateUp(layer));
    all.add(down(layer));
    return all;
  }

  @Override
  public final List<Sublayer> sublayers() {
    return parts().all();
  }

  private Sublayers parts() {
    return new Sublayers(PREFIX + "layers.", layers(), hiddenSize());
  }

  private Linear attentionOutput(int layer) {
    int inputs = heads().queries() * heads().size();
    return new Linear(
        name(layer, "self_attn.o_proj"), inputs, hiddenSize(), biases.attentionOutput());
  }

  private Linear down(int layer) {
    return new Linear(
        name(layer, "mlp.down_proj"), intermediateSize(), hiddenSize(), biases.feedForward());
  }

  @Override
  public final Map<String, float[]> constants() {
    return config.rotary().frequencies().constants();
  }

  @Override
  public final boolean positionsDependOnLength() {
    return config.rotary().frequencies().dependOnLength();
  }

  @Override
  public final int rereadAfter() {
    return config.rotary().frequencies().rereadAfter();
  }

  @Override
  public final String prefix() {
    return PREFIX;
  }

  @Override
  public final Embedding embedding() {
    return new Embedding(
        PREFIX + "embed_tokens", config.model().vocabSize(), hiddenSize(), embeddingScale());
  }

  @Override
  public final List<String> state() {
    return List.of("cos", "sin");
  }

  @Override
  public final String headWeight() {
    return config.model().tieWordEmbeddings() ? embedding().weight() : "lm_head.weight";
  }

  @Override
  public final void embed(MethodWriter out, Seams seams) {
    out.line("h = %s", seams.projection().embedding(out, "ids", embedding()));
    config.rotary().emitAngles(out, seams.attention());
  }

  @Override
  public final void layer(MethodWriter out, int i, Seams seams) {
    Projection projection = seams.projection();
    int d = heads().size();
    int kv = heads().keyValues() * d;
    String x = norm(out, "h", name(i, "input_layernorm.weight"), hiddenSize());
    List<String> qkv =
        split(out, projection.emit(out, x, queryKeyValue(i)), heads().queries() * d, kv, kv);
    String q = out.value("torch.view(%s, [-1, %d, %d])", qkv.get(0), heads().queries(), d);
    String k = out.value("torch.view(%s, [-1, %d, %d])", qkv.get(1), heads().keyValues(), d);
    String v = out.value("torch.view(%s, [-1, %d, %d])", qkv.get(2), heads().keyValues(), d);
    q = config.rotary().emitRotation(out, beforeRotation(out, i, "q", q), d);
    k = config.rotary().emitRotation(out, beforeRotation(out, i, "k", k), d);
    String a = seams.attention().emit(out, form(i), q, k, v);
    String o = projection.emit(out, a, List.of(attentionOutput(i))).get(0); // [N, E]
    o = afterAttention(out, i, o);
    String middle = seams.residual().emit(out, parts().selfAttention(i), "h", o);
    x = beforeFeedForward(out, i, middle);
    int f = intermediateSize();
    List<String> gateUp = split(out, projection.emit(out, x, gateUp(i)), f, f); // [N, F] x 2
    String gate = Activation.emit(out, config.activation(), gateUp.get(0));
    String product = out.value("torch.mul(%s, %s)", gate, gateUp.get(1));
    String down = projection.emit(out, product, List.of(down(i))).get(0); // [N, E]
    down = afterFeedForward(out, i, down);
    out.line("h = %s", seams.residual().emit(out, parts().feedForward(i), middle, down));
  }

  /** The parts of one projection's result, where a family has one for several. */
  private static List<String> split(MethodWriter out, List<String> results, int... sizes) {
    if (results.size() == sizes.length) {
      return results;
    }
    List<String> parts = new ArrayList<>();
    int start = 0;
    for (int size : sizes) {
      parts.add(out.value("torch.slice(%s, 1, %d, %d)", results.get(0), start, start + size));
      start += size;
    }
    return parts;
  }

  @Override
  public final void finish(MethodWriter out, Seams seams) {
    out.line("h = %s", norm(out, "h", PREFIX + "norm.weight", hiddenSize()));
  }
}
