package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Seams;
import java.util.ArrayList;
import java.util.List;

/**
 * Prefix tuning (Li and Liang, arXiv 2101.00190): trained keys and values [P, K, D] of virtual
 * tokens in each layer, positions applied; with {@code prefix_projection} a two-layer network
 * computes them while they are trained.
 *
 * <p>The virtual tokens go through the model like others, so that positions, masks and the cache
 * count them; only their keys and values are the adapter's. What else is computed of them reaches
 * no other token.
 *
 * <p>The file holds all layers in one tensor, as PEFT's does, projection applied; an adapter that
 * was read is those keys and values, and goes on being trained as such.
 */
final class PrefixTuning extends VirtualTokenAdapter {
  private final Attention.Heads heads;
  private final int hidden;
  private boolean projected;

  PrefixTuning(AdapterConfig config, BaseModel base) {
    super(config, base, model -> model.heads().keyValues() * model.heads().size());
    heads = base.heads();
    hidden = config.size("encoder_hidden_size", size());
    int asked = config.size("num_attention_heads", heads.keyValues());
    if (asked != heads.keyValues()) {
      throw config.incompatible(
          "'num_attention_heads' is "
              + asked
              + "; this model has "
              + heads.keyValues()
              + " heads of keys and values");
    }
    if (!config.text("init_weights", "zero").equals("zero")) {
      throw config.unsupported("init_weights", "it is zero or absent");
    }
  }

  /** Elements of one layer's key, or value, of one token. */
  private int size() {
    return base.heads().keyValues() * base.heads().size();
  }

  /** The name of one layer's keys and values, [P, 2, K, D]. */
  private static String layerName(int layer) {
    return "embedding.layers." + layer + ".weight";
  }

  private static String outputs(int layer) {
    return "transform.2.layers." + layer;
  }

  private Shape layerShape() {
    return new Shape(count, 2, heads.keyValues(), heads.size());
  }

  @Override
  void read(TensorReader file) {
    Shape shape = new Shape(count, 2L * base.layers() * size());
    float[] all;
    try (NDArray array = tensors.array(file, EMBEDDINGS, shape)) {
      all = array.toFloatArray();
    }
    int part = 2 * size();
    for (int layer = 0; layer < base.layers(); layer++) {
      float[] values = new float[count * part];
      for (int token = 0; token < count; token++) {
        int from = (token * base.layers() + layer) * part;
        System.arraycopy(all, from, values, token * part, part);
      }
      add(layerName(layer), values, layerShape());
    }
    whole.read(file);
  }

  @Override
  void initialise(Start start) {
    projected = config.flag("prefix_projection", false);
    describe(size(), heads.keyValues());
    config.json().put("encoder_hidden_size", hidden);
    boolean zero = config.text("init_weights", "").equals("zero");
    Draws draws = new Draws(start.seed(), "prefix-tuning");
    if (projected) {
      add("embedding.weight", draws.normal((long) count * size(), 1), new Shape(count, size()));
      addLinear("transform.0", size(), hidden, draws);
    }
    for (int layer = 0; layer < base.layers(); layer++) {
      if (!projected) {
        long length = layerShape().size();
        add(
            layerName(layer),
            zero ? Draws.constant(length, 0) : draws.normal(length, 1),
            layerShape());
      } else if (zero) {
        Shape weight = new Shape(2L * size(), hidden);
        add(outputs(layer) + ".weight", Draws.constant(weight.size(), 0), weight);
        add(outputs(layer) + ".bias", Draws.constant(2L * size(), 0), new Shape(2L * size()));
      } else {
        addLinear(outputs(layer), hidden, 2 * size(), draws);
      }
    }
    whole.initialise(start);
  }

  /** Emits a layer's keys and values, [P, 2, K, D]. */
  private String emitLayer(MethodWriter out, int layer) {
    if (!projected) {
      return out.weight(layerName(layer));
    }
    String x = emitLinear(out, out.weight("embedding.weight"), "transform.0");
    String flat = emitLinear(out, out.value("torch.tanh(%s)", x), outputs(layer));
    return out.value(
        "torch.view(%s, [%d, 2, %d, %d])", flat, count, heads.keyValues(), heads.size());
  }

  @Override
  public Seams wrap(Seams inner, boolean training) {
    Projection dense = inner.projection();
    Projection projection =
        new Projection() {
          @Override
          public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
            return dense.emit(out, input, layers);
          }

          @Override
          public String embedding(MethodWriter out, String ids, Embedding asked) {
            return whole.lookup(dense, out, emitReal(out, ids), asked);
          }
        };
    return inner.withProjection(projection).withAttention(new PrefixedAttention(inner.attention()));
  }

  /** Attention that finds the adapter's keys and values where the virtual tokens are. */
  private final class PrefixedAttention implements Attention {
    private final Attention inner;

    PrefixedAttention(Attention inner) {
      this.inner = inner;
    }

    @Override
    public String parameters() {
      return inner.parameters();
    }

    @Override
    public String arguments() {
      return inner.arguments();
    }

    @Override
    public String emit(MethodWriter out, Form form, String query, String key, String value) {
      String isVirtual = out.value("torch.view(%s, [-1, 1, 1])", emitIsVirtual(out, "ids"));
      String pairs =
          out.value(
              "torch.index_select(%s, 0, %s)",
              emitLayer(out, form.layer()), emitPlaces(out, "ids"));
      String pattern = "torch.where(%s, torch.select(%s, 1, %d), %s)";
      return inner.emit(
          out,
          form,
          query,
          out.value(pattern, isVirtual, pairs, 0, key),
          out.value(pattern, isVirtual, pairs, 1, value));
    }

    @Override
    public String emitDistances(MethodWriter out) {
      return inner.emitDistances(out);
    }

    @Override
    public String emitLengths(MethodWriter out) {
      return inner.emitLengths(out);
    }
  }

  @Override
  public List<TensorData> tensors() {
    List<TensorData> result = new ArrayList<>(super.tensors());
    int part = 2 * size();
    float[] all = new float[count * base.layers() * part];
    for (int layer = 0; layer < base.layers(); layer++) {
      int index = layer;
      float[] values = compute(out -> out.line("result = %s", emitLayer(out, index)));
      for (int token = 0; token < count; token++) {
        int to = (token * base.layers() + layer) * part;
        System.arraycopy(values, token * part, all, to, part);
      }
    }
    result.add(TensorData.of(EMBEDDINGS, new long[] {count, (long) base.layers() * part}, all));
    return result;
  }
}
