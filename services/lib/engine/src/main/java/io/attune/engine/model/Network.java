package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * A stack joined with a way to compute its parts and with weights: what runs.
 *
 * <p>One program call a layer, so that a training loop may recompute a layer instead of keeping
 * what is inside it. Immutable and thread-safe; several networks can share one set of base weights.
 */
public final class Network {
  private final Program program;
  private final int longest;
  private final List<NDArray> embedWeights;
  private final List<NDArray> finishWeights;
  private final List<Layer> layers = new ArrayList<>();

  /** One layer: the method that computes it and the weights that this takes. */
  private record Layer(String method, List<NDArray> weights) {}

  /**
   * @param weights from names, as the stack and {@code seams} use them, to arrays
   */
  public Network(Stack stack, Seams seams, Function<String, NDArray> weights) {
    longest = stack.longest();
    StringBuilder text = new StringBuilder();
    embedWeights = resolve(emitEmbed(stack, seams, text), weights);
    finishWeights = resolve(emitFinish(stack, seams, text), weights);
    for (Emitted layer : emitLayers(stack, seams, text)) {
      layers.add(new Layer(layer.method(), resolve(layer.weights(), weights)));
    }
    program = TorchPrograms.compile(text.toString());
  }

  /** A layer's method name and the names of the weights that it takes. */
  record Emitted(String method, List<String> weights) {}

  static List<String> emitEmbed(Stack stack, Seams seams, StringBuilder text) {
    MethodWriter out = new MethodWriter();
    stack.embed(out, seams);
    // Angles and biases are computed in float32; layers take them in the type that they compute in.
    stack.state().forEach(name -> out.line("%s = torch.type_as(%s, h)", name, name));
    List<String> results = new ArrayList<>(List.of("h"));
    results.addAll(stack.state());
    boolean alone = results.size() == 1;
    out.line("return " + (alone ? "h" : "(" + String.join(", ", results) + ")"));
    StringBuilder inputs = new StringBuilder();
    stack.inputs().forEach(name -> inputs.append(name).append(": Tensor, "));
    String type = String.join(", ", Collections.nCopies(results.size(), "Tensor"));
    text.append(
        out.method(
            "embed",
            "(self: SELF, positions: Tensor, %s%s, w: List[Tensor]) -> %s"
                .formatted(inputs, seams.parameters(), alone ? type : "Tuple[" + type + "]")));
    return out.weights();
  }

  static List<String> emitFinish(Stack stack, Seams seams, StringBuilder text) {
    MethodWriter out = new MethodWriter();
    stack.finish(out, seams);
    out.line("return h");
    String w = out.weights().isEmpty() ? "" : ", w: List[Tensor]"; // an empty list is no argument
    text.append(out.method("finish", "(self: SELF, h: Tensor" + w + ") -> Tensor"));
    return out.weights();
  }

  /** Writes each distinct layer once. */
  static List<Emitted> emitLayers(Stack stack, Seams seams, StringBuilder text) {
    Map<String, String> methods = new LinkedHashMap<>();
    List<Emitted> layers = new ArrayList<>();
    StringBuilder signature = new StringBuilder("(self: SELF, h: Tensor, ");
    stack.state().forEach(name -> signature.append(name).append(": Tensor, "));
    signature.append(seams.parameters()).append(", w: List[Tensor]) -> Tensor");
    for (int i = 0; i < stack.layers(); i++) {
      MethodWriter out = new MethodWriter();
      stack.layer(out, i, seams);
      out.line("return h");
      String body = out.method("", signature.toString());
      String method = methods.get(body);
      if (method == null) {
        method = "layer_" + methods.size();
        methods.put(body, method);
        text.append(out.method(method, signature.toString()));
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

  /**
   * Hidden states after the last layer, [N, E]; recorded for a backward pass where the thread's
   * grad mode is on.
   */
  public NDArray hidden(NDManager scope, TokenBatch batch) {
    return hidden(scope, batch, new NDList());
  }

  /**
   * As {@link #hidden(NDManager, TokenBatch)}, for a stack that reads more of a token than its id.
   *
   * @param inputs [N] each, as {@link Stack#inputs} names them
   */
  public NDArray hidden(NDManager scope, TokenBatch batch, NDList inputs) {
    return run(scope, batch, inputs, new NDList(batch.ids(), batch.pad(), batch.unpad()));
  }

  /**
   * As {@link #hidden(NDManager, TokenBatch)}, for a stack that looks at an encoder's result.
   *
   * @param memory [M, E], of the sequences of {@code memoryBatch}, as many as {@code batch} has
   */
  public NDArray hidden(NDManager scope, TokenBatch batch, NDArray memory, TokenBatch memoryBatch) {
    NDList layout = new NDList(batch.ids(), batch.pad(), batch.unpad());
    layout.addAll(new NDList(memory, memoryBatch.pad(), memoryBatch.unpad()));
    return run(scope, batch, new NDList(), layout);
  }

  /**
   * As {@link #hidden(NDManager, TokenBatch)}, with grad mode on, keeping each layer's input alone:
   * the layers are computed again on the way back.
   */
  public Pass checkpointed(NDManager scope, TokenBatch batch) {
    NDList layout = new NDList(batch.ids(), batch.pad(), batch.unpad());
    NDList start = embed(scope, batch, new NDList(), layout);
    NDList shared = start.subNDList(1);
    shared.addAll(layout);
    List<CheckpointedPass.Layer> each = new ArrayList<>();
    layers.forEach(layer -> each.add((into, h, all) -> layer(into, layer, h, all)));
    return new CheckpointedPass(
        scope, each, start.get(0), shared, (into, h, all) -> finish(into, h));
  }

  private NDArray run(NDManager scope, TokenBatch batch, NDList own, NDList layout) {
    NDList start = embed(scope, batch, own, layout);
    NDList shared = start.subNDList(1);
    shared.addAll(layout);
    NDArray h = start.get(0);
    for (Layer layer : layers) {
      NDArray next = layer(scope, layer, h, shared);
      h.close(); // autograd keeps what it needs
      h = next;
    }
    NDArray result = finish(scope, h);
    h.close();
    return result;
  }

  /**
   * @param own what the stack's {@link Stack#inputs} are called with
   * @param layout what the seams' parameters are called with
   * @return {@code h} and the stack's state
   */
  private NDList embed(NDManager scope, TokenBatch batch, NDList own, NDList layout) {
    long tokens = batch.pad().getShape().get(1);
    if (tokens > longest) {
      throw new EngineException(
          Reason.TOO_LONG,
          "a text has " + tokens + " tokens; the model has positions for " + longest);
    }
    NDList inputs = new NDList(batch.positions());
    inputs.addAll(own);
    inputs.addAll(layout);
    return program.run(scope, "embed", inputs, embedWeights);
  }

  /** One layer: from {@code h} to a new one, with the state and the layout that all layers read. */
  private NDArray layer(NDManager scope, Layer layer, NDArray h, NDList shared) {
    NDList inputs = new NDList(h);
    inputs.addAll(shared);
    return program.run(scope, layer.method(), inputs, layer.weights()).get(0);
  }

  private NDArray finish(NDManager scope, NDArray h) {
    return program.run(scope, "finish", new NDList(h), finishWeights).get(0);
  }
}
