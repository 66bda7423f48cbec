package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.model.Weights;
import io.attune.engine.tensor.Bfloat16;
import io.attune.engine.tensor.Torch;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * A model's weights as a network with an adapter sees them: the adapter's own, which are float32,
 * in the type that the model computes in.
 */
final class AdaptedWeights implements Function<String, NDArray>, AutoCloseable {
  private final NDManager scope = Torch.scope("adapted-weights");
  private final Map<String, NDArray> narrow = new HashMap<>();
  private final Weights base;
  private final Adapter adapter;

  AdaptedWeights(Weights base, Adapter adapter) {
    this.base = base;
    this.adapter = adapter;
  }

  /** Null if there is none of that name. */
  @Override
  public synchronized NDArray apply(String name) {
    NDArray own = adapter.weight(name);
    if (own == null) {
      return base.get(name);
    }
    return base.type() == TensorType.F32
        ? own
        : narrow.computeIfAbsent(name, absent -> Bfloat16.of(own, scope));
  }

  @Override
  public void close() {
    scope.close();
  }
}
