package io.attune.engine.quant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Frozen weights of linear layers, quantized. The memory belongs to the scope that they were made
 * in.
 */
public final class QuantizedWeights {
  private final Quantizer quantizer;
  private final NDManager scope;
  private final Map<String, Linear> layers = new LinkedHashMap<>();
  private final Map<String, NDArray> arrays = new LinkedHashMap<>();

  public QuantizedWeights(Quantizer quantizer, NDManager scope) {
    this.quantizer = quantizer;
    this.scope = scope;
    arrays.putAll(quantizer.tables(scope));
  }

  public Quantizer quantizer() {
    return quantizer;
  }

  /**
   * Quantizes a layer's weight; refuses one with values that the codes cannot hold.
   *
   * @param weight as the checkpoint has it, float32; not needed any more afterwards
   */
  public void put(Linear layer, NDArray weight) {
    if (layer.transposed()) {
      try (NDArray rows = weight.transpose()) {
        putRows(layer, rows);
      }
    } else {
      putRows(layer, weight);
    }
  }

  private void putRows(Linear layer, NDArray rows) {
    Map<String, NDArray> parts = quantizer.quantize(rows, scope);
    for (NDArray part : parts.values()) {
      if (part.getDataType() == DataType.FLOAT32 && !isFinite(part)) {
        throw new EngineException(
            Reason.UNSUPPORTED,
            "tensor '"
                + layer.weight()
                + "' has values that cannot be quantized: NaN or too large");
      }
    }
    parts.forEach((part, array) -> arrays.put(layer.weight() + part, array));
    layers.put(layer.weight(), layer);
  }

  private static boolean isFinite(NDArray scales) {
    try (NDArray sum = scales.sum()) {
      return Float.isFinite(sum.getFloat());
    }
  }

  /** The parts of one weight, by name. */
  public Map<String, NDArray> parts(String weight) {
    Map<String, NDArray> parts = new LinkedHashMap<>();
    arrays.forEach(
        (name, array) -> {
          if (name.startsWith(weight + ".")) {
            parts.put(name, array);
          }
        });
    return parts;
  }

  /** Whether a weight, by its name in the checkpoint, is here. */
  public boolean has(String weight) {
    return layers.containsKey(weight);
  }

  /**
   * A part of a weight, or a table, by the name that {@link #wrap}'s code uses; null for others.
   */
  public @Nullable NDArray get(String name) {
    return arrays.get(name);
  }

  /**
   * A weight as the checkpoint has it, float32, dequantized.
   *
   * @param into owns the result
   */
  public NDArray dense(String weight, NDManager into) {
    Linear layer = layers.get(weight);
    MethodWriter out = new MethodWriter();
    out.line("return %s", emitWeight(out, layer));
    String text = out.method("dense", "(self: SELF, none: Tensor, w: List[Tensor]) -> Tensor");
    try (NDManager work = into.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      List<NDArray> parts = out.weights().stream().map(this::get).toList();
      NDList none = new NDList(work.create(0L));
      return TorchPrograms.compile(text).run(into, "dense", none, parts).get(0);
    }
  }

  private String emitWeight(MethodWriter out, Linear layer) {
    String rows = quantizer.emit(out, layer);
    return layer.transposed() ? out.value("torch.t(%s)", rows) : rows;
  }

  /** Elements that are held quantized. */
  public long count() {
    return layers.values().stream().mapToLong(l -> (long) l.inputs() * l.outputs()).sum();
  }

  /** Bytes that hold them, shared tables included. */
  public long bytes() {
    return arrays.values().stream()
        .mapToLong(array -> array.size() * array.getDataType().getNumOfBytes())
        .sum();
  }

  /** How a model's parts are computed where these weights are the model's. */
  public Seams wrap(Seams inner) {
    return inner.withProjection(new Quantized(inner.projection()));
  }

  /**
   * Each weight is dequantized for its product and let go of after it. Where the product is
   * recorded for a backward pass, autograd keeps the dequantized weight until then: such a network
   * has to be run layer by layer with recomputation, which bounds that to the weights of one layer.
   */
  private final class Quantized implements Projection {
    private final Projection inner;

    Quantized(Projection inner) {
      this.inner = inner;
    }

    @Override
    public List<String> emit(MethodWriter out, String input, List<Linear> asked) {
      List<Linear> others = asked.stream().filter(layer -> !has(layer.weight())).toList();
      List<String> plain = others.isEmpty() ? List.of() : inner.emit(out, input, others);
      List<String> results = new ArrayList<>();
      for (Linear layer : asked) {
        if (!has(layer.weight())) {
          results.add(plain.get(others.indexOf(layer)));
          continue;
        }
        String bias = layer.bias() ? out.weight(layer.biasName()) : "None";
        results.add(
            out.value(
                "torch.linear(%s, torch.type_as(%s, %s), %s)",
                input, quantizer.emit(out, layer), input, bias));
      }
      return results;
    }

    @Override
    public String weight(MethodWriter out, Linear layer) {
      return has(layer.weight()) ? emitWeight(out, layer) : inner.weight(out, layer);
    }

    @Override
    public String embedding(MethodWriter out, String ids, Embedding table) {
      return inner.embedding(out, ids, table);
    }
  }
}
