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
import io.attune.engine.tensor.Seed;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A model's weights by name, float32 or bfloat16. Owns their memory. */
public final class Weights implements AutoCloseable {
  /** Elements of a parameter that is drawn on the heap. */
  private static final long MAX_RANDOM = 1 << 30;

  private final NDManager scope = Torch.scope("weights");
  private final Map<String, NDArray> arrays = new LinkedHashMap<>();
  private final Map<String, String> storedNames = new LinkedHashMap<>();
  private final Architecture architecture;
  private final TensorType type;

  private Weights(Architecture architecture, TensorType type) {
    this.architecture = architecture;
    this.type = type;
    architecture.constants().forEach((name, values) -> arrays.put(name, scope.create(values)));
  }

  /**
   * Takes the architecture's weights from a file; refuses a missing one or one of another shape.
   *
   * @param writable whether the arrays may be written to; if not, they are the mapped file itself
   */
  public static Weights read(Architecture architecture, TensorReader file, boolean writable) {
    return read(architecture, file, writable, TensorType.F32);
  }

  /** As {@link #read(Architecture, TensorReader, boolean)}, never to be written to. */
  public static Weights readBfloat16(Architecture architecture, TensorReader file) {
    return read(architecture, file, false, TensorType.BF16);
  }

  private static Weights read(
      Architecture architecture, TensorReader file, boolean writable, TensorType type) {
    Weights weights = new Weights(architecture, type);
    boolean read = false;
    try {
      for (Map.Entry<String, Shape> parameter : architecture.parameters().entrySet()) {
        String name = parameter.getKey();
        String stored = storedName(file, name, architecture);
        if (file.has(stored) || !architecture.optionalParameters().contains(name)) {
          weights.take(file, stored, parameter, writable);
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

  private void take(
      TensorReader file, String stored, Map.Entry<String, Shape> parameter, boolean writable) {
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
    storedNames.put(parameter.getKey(), stored);
    arrays.put(
        parameter.getKey(),
        type == TensorType.BF16
            ? TensorArrays.readBfloat16(file, stored, scope)
            : writable
                ? TensorArrays.readOwned(file, stored, scope)
                : TensorArrays.readFloat(file, stored, scope));
  }

  /**
   * Fresh weights, drawn as the family says. The same seed gives the same weights on any machine.
   */
  public static Weights random(Architecture architecture, long seed) {
    Weights weights = new Weights(architecture, TensorType.F32);
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

  /** What the weights are held in: F32 or BF16. */
  public TensorType type() {
    return type;
  }

  /** An array by name, null if there is none. */
  public NDArray get(String name) {
    return arrays.get(name);
  }

  /** What the file that a weight was read from calls it; its own name if it was drawn. */
  public String storedName(String name) {
    return storedNames.getOrDefault(name, name);
  }

  /** The stored weights, without what the family computes from its config. */
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
    return parameters().values().stream().mapToLong(NDArray::size).sum();
  }

  @Override
  public void close() {
    scope.close();
  }
}
