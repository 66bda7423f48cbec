package io.attune.engine.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Compiled methods over tensors. Immutable; callable from any thread.
 *
 * <p>Two ways to call: {@link #run} may record for a backward pass; {@link #infer} never does, and
 * its results cannot take part in one.
 */
public final class Program {
  private final PtSymbolBlock block;
  private final NDManager owner;
  private final Map<String, NDArray> methodMarkers = new ConcurrentHashMap<>();

  Program(PtSymbolBlock block, NDManager owner) {
    this.block = block;
    this.owner = owner;
  }

  /**
   * Calls a method, recorded for autograd where the thread's grad mode is on.
   *
   * @param scope owns the results
   * @param inputs tensors in the method's order
   * @param weights the method's last parameter, {@code w: List[Tensor]}; must not be empty when the
   *     method has it, and must be empty when it has not
   */
  public NDList run(NDManager scope, String method, NDList inputs, List<NDArray> weights) {
    executor();
    NDList call = new NDList(inputs.size() + weights.size() + 1);
    call.add(methodMarkers.computeIfAbsent(method, this::marker));
    addPositional(call, inputs);
    for (NDArray weight : weights) {
      weight.setName("w[]");
      call.add(weight);
    }
    return forward(scope, call);
  }

  /** Calls a method that takes several lists, each by its name; see {@link #run}. */
  public NDList runLists(
      NDManager scope, String method, NDList inputs, Map<String, List<NDArray>> lists) {
    executor();
    NDList call = new NDList();
    call.add(methodMarkers.computeIfAbsent(method, this::marker));
    addPositional(call, inputs);
    lists.forEach(
        (name, list) -> {
          for (NDArray array : list) {
            array.setName(name + "[]");
            call.add(array);
          }
        });
    return forward(scope, call);
  }

  /** Calls a method without recording. Integers are passed as the method's {@code int}s. */
  public NDList infer(NDManager scope, String method, Object... arguments) {
    executor();
    IValue[] values = new IValue[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      values[i] = value(arguments[i]);
    }
    NativeCalls.enter();
    try (IValue result = IValueUtils.runMethod(block, method, values)) {
      return result.toNDList((PtNDManager) scope);
    } finally {
      NativeCalls.leave();
      for (int i = 0; i < arguments.length; i++) {
        if (!(arguments[i] instanceof TensorList)) {
          values[i].close();
        }
      }
    }
  }

  private NDList forward(NDManager scope, NDList call) {
    NativeCalls.enter();
    try {
      NDList results = IValueUtils.forward(block, call, true);
      results.attach(scope);
      return results;
    } finally {
      NativeCalls.leave();
    }
  }

  /** An array keeps the name of a list that it once was part of: here it stands for itself. */
  private static void addPositional(NDList call, NDList inputs) {
    for (NDArray input : inputs) {
      if (input.getName() != null) {
        input.setName(null);
      }
      call.add(input);
    }
  }

  private static IValue value(Object argument) {
    if (argument instanceof PtNDArray array) {
      return IValue.from(array);
    } else if (argument instanceof TensorList list) {
      return list.value();
    } else if (argument instanceof Integer number) {
      return IValue.from(number.longValue());
    } else if (argument instanceof Double number) {
      return IValue.from(number);
    } else if (argument instanceof Boolean flag) {
      return IValue.from(flag);
    }
    throw new IllegalArgumentException("not a program argument: " + argument.getClass());
  }

  private NDArray marker(String method) {
    NDArray marker = owner.zeros(new ai.djl.ndarray.types.Shape(1));
    marker.setName("module_method:" + method);
    return marker;
  }

  /** The profiling executor would specialise on shapes that change with every batch. */
  private static void executor() {
    JniUtils.setGraphExecutorOptimize(false);
  }
}
