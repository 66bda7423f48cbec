package io.attune.engine.tensor;

import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.lang.reflect.Field;
import java.util.Map;

/** Counts arrays that are alive under the engine's root, sub-managers included. */
public final class LiveArrays {
  private LiveArrays() {}

  public static int count() {
    return count(Torch.root());
  }

  private static int count(NDManager manager) {
    int count = 0;
    for (Object resource : resources(manager).values()) {
      if (resource instanceof NDManager child) {
        count += count(child);
      } else if (resource instanceof NDArray) {
        count++;
      }
    }
    return count;
  }

  /** DJL keeps what a manager owns in a field that subclasses see. */
  private static Map<?, ?> resources(NDManager manager) {
    try {
      Field field = BaseNDManager.class.getDeclaredField("resources");
      field.setAccessible(true);
      return (Map<?, ?>) field.get(manager);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("DJL changed; count live arrays another way", e);
    }
  }
}
