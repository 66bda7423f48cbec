package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.Seams;
import io.attune.engine.quant.QuantizedWeights;
import io.attune.engine.quant.Quantizer;
import io.attune.engine.tensor.Seed;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A model's weights by name, float32 or bfloat16. Owns their memory. */
public final class Weights implements AutoCloseable {
  /** Elements of a parameter that is drawn on the heap. */
  private static final long MAX_RANDOM = 1 << 30;

  private final NDManager scope = Torch.scope("weights");
  private final Map<String, NDArray> arrays = new LinkedHashMap<>();
  private final Map<String, String> storedNames = new LinkedHashMap<>();
  private final Architecture architecture;
  private final TensorType type;
  private final @Nullable QuantizedWeights quantized;

  private Weights(Architecture architecture, TensorType type, @Nullable Quantizer quantizer) {
    this.architecture = architecture;
    this.type = type;
    this.quantized = quantizer == null ? null : new QuantizedWeights(quantizer, scope);
    architecture.constants().forEach((name, values) -> arrays.put(name, scope.create(values)));
  }

  /**
   * Takes the architecture's weights from a file; refuses a missing one or one of another shape.
   *
   * @param writable whether the arrays may be written to; if not, they are the mapped file itself
   */
  public static Weights read(Architecture architecture, TensorReader file, boolean writable) {
    return read(architecture, file, writable, TensorType.F32, null);
  }

  /**
   * As {@link #read(Architecture, TensorReader, boolean)}, never to be written to, with the weights
   * of all {@link Architecture#linears} quantized one after another.
   */
  public static Weights readQuantized(
      Architecture architecture, TensorReader file, Quantizer quantizer) {
    return read(architecture, file, false, TensorType.F32, quantizer);
  }

  /** As {@link #read(Architecture, TensorReader, boolean)}, never to be written to. */
  public static Weights readBfloat16(Architecture architecture, TensorReader file) {
    return read(architecture, file, false, TensorType.BF16, null);
  }

  private static Weights read(
      Architecture architecture,
      TensorReader file,
      boolean writable,
      TensorType type,
      @Nullable Quantizer quantizer) {
    Weights weights = new Weights(architecture, type, quantizer);
    Map<String, Linear> linears = new HashMap<>();
    if (quantizer != null) {
      architecture.linears().forEach(linear -> linears.put(linear.weight(), linear));
    }
    boolean read = false;
    try {
      for (Map.Entry<String, Shape> parameter : architecture.parameters().entrySet()) {
        String name = parameter.getKey();
        String stored = storedName(file, name, architecture);
        if (file.has(stored) || !architecture.optionalParameters().contains(name)) {
          Linear quantized = linears.get(name);
          if (quantized == null) {
            weights.take(file, stored, parameter, writable);
          } else {
            weights.quantize(file, stored, parameter, quantized);
          }
        }
      }
      for (Map.Entry<String, Shape> buffer : architecture.buffers().entrySet()) {
        if (file.has(buffer.getKey())) {
          weights.take(file, buffer.getKey(), buffer, false);
        } else {
          NDArray zeros = weights.scope.zeros(buffer.getValue(), DataType.FLOAT32);
          weights.arrays.put(buffer.getKey(), zeros);
        }
      }
      read = true;
      return weights;
    } finally {
      if (!read) {
        weights.close();
      }
    }
  }

  /** Checkpoints of the model without its head lack the family's prefix. */
  static String storedName(TensorReader file, String name, Architecture architecture) {
    String prefix = architecture.prefix();
    List<String> names = new ArrayList<>(List.of(name));
    names.addAll(architecture.aliases(name));
    for (String each : names) {
      String bare = each.startsWith(prefix) ? each.substring(prefix.length()) : each;
      if (file.has(each) || file.has(bare)) {
        return file.has(each) ? each : bare;
      }
    }
    return name;
  }

  private void quantize(
      TensorReader file, String stored, Map.Entry<String, Shape> parameter, Linear linear) {
    requireShape(file, stored, parameter);
    storedNames.put(parameter.getKey(), stored);
    try (NDArray dense = TensorArrays.readOwned(file, stored, scope)) {
      quantized.put(linear, dense);
    }
  }

  private void take(
      TensorReader file, String stored, Map.Entry<String, Shape> parameter, boolean writable) {
    requireShape(file, stored, parameter);
    storedNames.put(parameter.getKey(), stored);
    arrays.put(
        parameter.getKey(),
        type == TensorType.BF16
            ? TensorArrays.readBfloat16(file, stored, scope)
            : writable
                ? TensorArrays.readOwned(file, stored, scope)
                : TensorArrays.readFloat(file, stored, scope));
  }

  private static void requireShape(
      TensorReader file, String stored, Map.Entry<String, Shape> parameter) {
    long[] shape = file.info(stored).shape();
    if (!Arrays.equals(shape, parameter.getValue().getShape())) {
      throw new EngineException(
          Reason.INCOMPATIBLE,
          file.source()
              + ": tensor '"
              + stored
              + "' has shape "
              + Arrays.toString(shape)
              + "; config.json asks for "
              + parameter.getValue());
    }
  }

  /**
   * Fresh weights, drawn as the family says. The same seed gives the same weights on any machine.
   */
  public static Weights random(Architecture architecture, long seed) {
    Weights weights = new Weights(architecture, TensorType.F32, null);
    Random random = Seed.random(seed, "weights");
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              if (shape.size() > MAX_RANDOM) {
                throw new EngineException(
                    Reason.UNSUPPORTED,
                    "parameter '"
                        + name
                        + "' of shape "
                        + shape
                        + " is too large to start at random");
              }
              int size = (int) shape.size();
              int rows = Math.toIntExact(shape.get(0));
              float[] values = architecture.initial(name).draw(size, rows, random);
              weights.arrays.put(name, weights.scope.create(values, shape));
            });
    return weights;
  }

  /**
   * Moves weights from the mapped file into memory, so that they may be written to. Networks made
   * before go on with the file.
   */
  public void own(Set<String> names) {
    for (String name : names) {
      NDArray array = arrays.get(name);
      if (array != null) {
        NDArray copy = array.duplicate();
        copy.attach(scope);
        arrays.put(name, copy);
      }
    }
  }

  /** What the weights are held in: F32 or BF16. */
  public TensorType type() {
    return type;
  }

  /** An array by name; null if there is none, or for a weight that is quantized. */
  public NDArray get(String name) {
    NDArray array = arrays.get(name);
    return array == null && quantized != null ? quantized.get(name) : array;
  }

  /** The weights that are quantized; null where none is. */
  public @Nullable QuantizedWeights quantized() {
    return quantized;
  }

  /** How a model's parts are computed with these weights. */
  public Seams wrap(Seams inner) {
    return quantized == null ? inner : quantized.wrap(inner);
  }

  /** What the file that a weight was read from calls it; its own name if it was drawn. */
  public String storedName(String name) {
    return storedNames.getOrDefault(name, name);
  }

  /** The stored weights that are dense, without what the family computes from its config. */
  public Map<String, NDArray> parameters() {
    Map<String, NDArray> result = new LinkedHashMap<>();
    for (String name : architecture.parameters().keySet()) {
      NDArray array = arrays.get(name);
      if (array != null) {
        result.put(name, array);
      }
    }
    return result;
  }

  /** Elements of all stored weights. */
  public long count() {
    long dense = parameters().values().stream().mapToLong(NDArray::size).sum();
    return quantized == null ? dense : dense + quantized.count();
  }

  @Override
  public void close() {
    scope.close();
  }
}
