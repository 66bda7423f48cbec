package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.tensor.Seed;
import io.attune.engine.tensor.Torch;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** A model's weights by name, float32. Owns their memory. */
public final class Weights implements AutoCloseable {
  private final NDManager scope = Torch.scope("weights");
  private final Map<String, NDArray> arrays = new LinkedHashMap<>();
  private final Architecture architecture;

  private Weights(Architecture architecture) {
    this.architecture = architecture;
    architecture.constants().forEach((name, values) -> arrays.put(name, scope.create(values)));
  }

  /**
   * Takes the architecture's weights from a file; refuses a missing one or one of another shape.
   *
   * @param writable whether the arrays may be written to; if not, they are the mapped file itself
   */
  public static Weights read(Architecture architecture, TensorReader file, boolean writable) {
    Weights weights = new Weights(architecture);
    boolean read = false;
    try {
      for (Map.Entry<String, Shape> parameter : architecture.parameters().entrySet()) {
        String name = parameter.getKey();
        String stored = storedName(file, name, architecture.prefix());
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
        weights.arrays.put(
            name,
            writable
                ? TensorArrays.readOwned(file, stored, weights.scope)
                : TensorArrays.readFloat(file, stored, weights.scope));
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
  private static String storedName(TensorReader file, String name, String prefix) {
    String bare = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
    return !file.has(name) && file.has(bare) ? bare : name;
  }

  /**
   * Fresh weights, drawn as the family says. The same seed gives the same weights on any machine.
   */
  public static Weights random(Architecture architecture, long seed) {
    Weights weights = new Weights(architecture);
    Random random = Seed.random(seed, "weights");
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              int size = Math.toIntExact(shape.size());
              int rows = Math.toIntExact(shape.get(0));
              float[] values = architecture.initial(name).draw(size, rows, random);
              weights.arrays.put(name, weights.scope.create(values, shape));
            });
    return weights;
  }

  /** An array by name, null if there is none. */
  public NDArray get(String name) {
    return arrays.get(name);
  }

  /** The stored weights, without what the family computes from its config. */
  public Map<String, NDArray> parameters() {
    Map<String, NDArray> result = new LinkedHashMap<>();
    for (String name : architecture.parameters().keySet()) {
      result.put(name, arrays.get(name));
    }
    return result;
  }

  /** Elements of all stored weights. */
  public long count() {
    return architecture.parameters().values().stream().mapToLong(Shape::size).sum();
  }

  @Override
  public void close() {
    scope.close();
  }
}
