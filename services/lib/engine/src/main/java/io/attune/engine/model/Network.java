package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.CausalAttention;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * An architecture joined with a way to compute its linear layers and with weights: what runs.
 *
 * <p>One program call a layer, so that a training loop may recompute a layer instead of keeping
 * what is inside it. Immutable and thread-safe; several networks can share one set of base weights.
 */
public final class Network {
  private static final String LAYER_RESULT = " -> Tensor";

  private final Architecture architecture;
  private final Projection projection;
  private final Function<String, NDArray> weights;
  private final Program program;
  private final List<NDArray> embedWeights;
  private final List<NDArray> finishWeights;
  private final List<Layer> layers = new ArrayList<>();

  /** One layer: the method that computes it and the weights that this takes. */
  private record Layer(String method, List<NDArray> weights) {}

  /**
   * @param weights from names, as {@link Architecture} and {@code projection} use them, to arrays
   */
  public Network(
      Architecture architecture, Projection projection, Function<String, NDArray> weights) {
    this.architecture = architecture;
    this.projection = projection;
    this.weights = weights;
    StringBuilder text = new StringBuilder();
    embedWeights = resolve(emitEmbed(architecture, text), weights);
    finishWeights = resolve(emitFinish(architecture, text), weights);
    for (Emitted layer : emitLayers(architecture, projection, new CausalAttention(), text)) {
      layers.add(new Layer(layer.method(), resolve(layer.weights(), weights)));
    }
    program = TorchPrograms.compile(text.toString());
  }

  /** A layer's method name and the names of the weights that it takes. */
  record Emitted(String method, List<String> weights) {}

  static List<String> emitEmbed(Architecture architecture, StringBuilder text) {
    MethodWriter out = new MethodWriter();
    architecture.embed(out);
    out.line("return (h, cos, sin)");
    text.append(
        out.method(
            "embed",
            "(self: SELF, ids: Tensor, positions: Tensor, w: List[Tensor]) -> Tuple[Tensor, Tensor,"
                + " Tensor]"));
    return out.weights();
  }

  static List<String> emitFinish(Architecture architecture, StringBuilder text) {
    MethodWriter out = new MethodWriter();
    architecture.finish(out);
    out.line("return h");
    text.append(out.method("finish", "(self: SELF, h: Tensor, w: List[Tensor])" + LAYER_RESULT));
    return out.weights();
  }

  /** Writes each distinct layer once. */
  static List<Emitted> emitLayers(
      Architecture architecture, Projection projection, Attention attention, StringBuilder text) {
    Map<String, String> methods = new LinkedHashMap<>();
    List<Emitted> layers = new ArrayList<>();
    String signature =
        "(self: SELF, h: Tensor, cos: Tensor, sin: Tensor, "
            + attention.parameters()
            + ", w: List[Tensor])"
            + LAYER_RESULT;
    for (int i = 0; i < architecture.config().layers(); i++) {
      MethodWriter out = new MethodWriter();
      architecture.layer(out, i, projection, attention);
      out.line("return h");
      String body = out.method("", signature);
      String method = methods.get(body);
      if (method == null) {
        method = "layer_" + methods.size();
        methods.put(body, method);
        text.append(out.method(method, signature));
      }
      layers.add(new Emitted(method, out.weights()));
    }
    return layers;
  }

  static List<NDArray> resolve(List<String> names, Function<String, NDArray> weights) {
    List<NDArray> arrays = new ArrayList<>();
    for (String name : names) {
      NDArray array = weights.apply(name);
      if (array == null) {
        throw new IllegalStateException("no weight is called " + name);
      }
      arrays.add(array);
    }
    return List.copyOf(arrays);
  }

  public Architecture architecture() {
    return architecture;
  }

  /** The weight that logits are made with, [V, E]. */
  public NDArray head() {
    return weights.apply(architecture.headWeight());
  }

  /**
   * Hidden states after the last norm, [N, E]; recorded for a backward pass where the thread's grad
   * mode is on.
   */
  public NDArray hidden(NDManager scope, TokenBatch batch) {
    NDList start =
        program.run(scope, "embed", new NDList(batch.ids(), batch.positions()), embedWeights);
    NDArray h = start.get(0);
    for (Layer layer : layers) {
      NDList inputs = new NDList(h, start.get(1), start.get(2), batch.pad(), batch.unpad());
      NDArray next = program.run(scope, layer.method(), inputs, layer.weights()).get(0);
      h.close(); // autograd keeps what it needs
      h = next;
    }
    NDArray result = program.run(scope, "finish", new NDList(h), finishWeights).get(0);
    h.close();
    return result;
  }

  /** Makes the program that generates with these weights, a token at a time. */
  public Decoder decoder() {
    return new Decoder(architecture, projection, weights);
  }
}
