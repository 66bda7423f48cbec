package io.attune.engine.quant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import java.util.Map;

/**
 * A way to hold the frozen weight of a linear layer in few bits, and the code that makes it dense
 * again.
 */
public sealed interface Quantizer permits FourBit, EightBit {
  /**
   * Quantizes a weight.
   *
   * @param weight [outputs, inputs], float32
   * @param scope owns the result
   * @return the parts that hold it, by what each adds to the weight's name
   */
  Map<String, NDArray> quantize(NDArray weight, NDManager scope);

  /** Tables that all weights share, by name, in {@code scope}. */
  Map<String, NDArray> tables(NDManager scope);

  /**
   * Emits the dequantized weight of a layer.
   *
   * @return a variable that holds [outputs, inputs], float32
   */
  String emit(MethodWriter out, Linear layer);
}
