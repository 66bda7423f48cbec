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
  /** Elements of a parameter that is drawn on the heap. */
  private static final long MAX_RANDOM = 1 << 30;

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
   * Fresh weights as transformers initialises them: matrices normal(0, initializer_range), norms 1,
   * biases 0. The same seed gives the same weights on any machine.
   */
  public static Weights random(Architecture architecture, long seed) {
    Weights weights = new Weights(architecture);
    double deviation = architecture.config().initializerRange();
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
              float[] values = new float[(int) shape.size()];
              if (shape.dimension() == 2) {
                for (int i = 0; i < values.length; i++) {
                  values[i] = (float) (random.nextGaussian() * deviation);
                }
              } else if (name.endsWith(".weight")) {
                Arrays.fill(values, 1);
              }
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
