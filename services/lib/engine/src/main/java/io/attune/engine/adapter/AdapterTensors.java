package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of one adapter: what is trained, what is not, and PEFT's name for each. Owns their
 * memory.
 */
final class AdapterTensors implements AutoCloseable {
  /** What PEFT puts before the name of a base model's module. */
  static final String PEFT = "base_model.model.";

  /** Made at its first use: an adapter that is refused before has no memory. */
  private @Nullable NDManager scope;

  private final Map<String, NDArray> trained = new LinkedHashMap<>();
  private final Map<String, NDArray> fixed = new LinkedHashMap<>();
  private final Map<String, String> stored = new LinkedHashMap<>();
  private final Set<String> read = new HashSet<>();

  NDManager scope() {
    if (scope == null) {
      scope = Torch.scope("adapter");
    }
    return scope;
  }

  /** Adds a tensor that is trained and saved as {@code PEFT + name}. */
  void add(String name, NDArray array) {
    add(name, PEFT + name, array, true);
  }

  /**
   * @param key its name in the file; null if it is not saved
   */
  void add(String name, @Nullable String key, NDArray array, boolean isTrained) {
    array.attach(scope());
    (isTrained ? trained : fixed).put(name, array);
    if (key != null) {
      stored.put(name, key);
    }
  }

  void add(String name, float[] values, Shape shape) {
    add(name, scope().create(values, shape));
  }

  /** Reads a tensor that is trained and saved as {@code PEFT + name}. */
  void read(TensorReader file, String name, Shape shape) {
    read(file, PEFT + name, name, shape, true);
  }

  /** Refuses a missing tensor, or one of another shape. */
  void read(TensorReader file, String key, String name, Shape shape, boolean isTrained) {
    add(name, key, array(file, key, shape), isTrained);
  }

  /** Reads a tensor of the file for the caller, who owns it. */
  NDArray array(TensorReader file, String key, Shape shape) {
    long[] found = file.info(key).shape();
    if (!Arrays.equals(found, shape.getShape())) {
      throw new EngineException(
          Reason.INCOMPATIBLE,
          file.source()
              + ": tensor '"
              + key
              + "' has shape "
              + Arrays.toString(found)
              + "; this model and adapter_config.json ask for "
              + shape);
    }
    read.add(key);
    return TensorArrays.readOwned(file, key, scope());
  }

  /** Names in the file that have not been read. */
  List<String> unread(TensorReader file) {
    return file.names().stream().filter(key -> !read.contains(key)).toList();
  }

  /** A tensor by name, trained or not; null if there is none. */
  @Nullable NDArray get(String name) {
    NDArray array = trained.get(name);
    return array == null ? fixed.get(name) : array;
  }

  /** What is trained, by name, in the order in which it was added. */
  Map<String, NDArray> trained() {
    return new LinkedHashMap<>(trained);
  }

  /** What the file holds. */
  List<TensorData> write() {
    return write(this::get);
  }

  /**
   * @param source from a tensor's name to what is stored for it
   */
  List<TensorData> write(Function<String, NDArray> source) {
    List<TensorData> result = new ArrayList<>();
    stored.forEach((name, key) -> result.add(TensorArrays.write(key, source.apply(name))));
    return result;
  }

  @Override
  public void close() {
    if (scope != null) {
      scope.close();
    }
  }
}
