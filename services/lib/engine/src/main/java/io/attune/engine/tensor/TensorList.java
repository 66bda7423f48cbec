package io.attune.engine.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import java.util.List;

/**
 * A {@code List[Tensor]} prepared once for many {@link Program#infer} calls: a model's weights.
 *
 * <p>It refers to the tensors and keeps them alive natively until closed.
 */
public final class TensorList implements AutoCloseable {
  private final IValue value;

  public TensorList(List<? extends NDArray> tensors) {
    value = IValue.listFrom(tensors.toArray(PtNDArray[]::new));
  }

  IValue value() {
    return value;
  }

  @Override
  public void close() {
    value.close();
  }
}
