package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Attention;
import io.attune.engine.tensor.Bfloat16;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TensorList;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Keys and values of {@link #slots()} sequences of up to {@link #capacity()} tokens, for every
 * layer, [slots, capacity, K, D] each.
 *
 * <p>Allocated once. A place is valid once a token was decoded at it; nothing is ever cleared,
 * because a token only looks at places up to its own. One thread at a time.
 */
public final class KvCache implements AutoCloseable {
  private final NDManager scope;
  private final int slots;
  private final int capacity;
  private final TensorList keys;
  private final TensorList values;

  KvCache(Stack stack, int slots, int capacity) {
    this(stack, slots, capacity, false);
  }

  KvCache(Stack stack, int slots, int capacity, boolean narrow) {
    this.slots = slots;
    this.capacity = Math.min(capacity, stack.longest());
    this.scope = Torch.scope("kv-cache");
    Attention.Heads heads = stack.heads();
    Shape shape = new Shape(slots, this.capacity, heads.keyValues(), heads.size());
    List<NDArray> k = new ArrayList<>();
    List<NDArray> v = new ArrayList<>();
    for (int i = 0; i < stack.layers(); i++) {
      k.add(zeros(shape, narrow));
      v.add(zeros(shape, narrow));
    }
    keys = new TensorList(k);
    values = new TensorList(v);
  }

  private NDArray zeros(Shape shape, boolean narrow) {
    NDArray zeros = scope.zeros(shape, DataType.FLOAT32);
    if (!narrow) {
      return zeros;
    }
    try (zeros) {
      return Bfloat16.of(zeros, scope);
    }
  }

  /**
   * Lets each slot go on from what another one holds, as the beams of a search do.
   *
   * @param from for each slot from 0 on, the slot whose content it takes
   * @param length tokens that those slots hold
   */
  public void reorder(int[] from, int length) {
    try (NDManager inputs = scope.newSubManager()) {
      long[] order = Arrays.stream(from).asLongStream().toArray();
      Reorder.PROGRAM.infer(inputs, "reorder", inputs.create(order), length, keys, values);
    }
  }

  /**
   * Copies the first tokens of slots into others, as of a prompt that several texts go on from.
   *
   * @param from none of them in {@code to}
   * @param length tokens of each
   */
  public void copy(int[] from, int[] to, int length) {
    try (NDManager inputs = scope.newSubManager()) {
      Reorder.PROGRAM.infer(
          inputs,
          "copy",
          inputs.create(CacheRows.longs(from)),
          inputs.create(CacheRows.longs(to)),
          length,
          keys,
          values);
    }
  }

  private static final class Reorder {
    static final Program PROGRAM =
        TorchPrograms.compile(
            """
            def copy(self: SELF, source: Tensor, target: Tensor, length: int, kc: List[Tensor], vc: List[Tensor]) -> Tensor:
              for i in range(len(kc)):
                k = torch.slice(kc[i], 1, 0, length)
                v = torch.slice(vc[i], 1, 0, length)
                x = torch.index_copy_(k, 0, target, torch.index_select(k, 0, source))
                y = torch.index_copy_(v, 0, target, torch.index_select(v, 0, source))
              return source

            def reorder(self: SELF, order: Tensor, length: int, kc: List[Tensor], vc: List[Tensor]) -> Tensor:
              n = torch.size(order, 0)
              for i in range(len(kc)):
                k = torch.slice(kc[i], 1, 0, length)
                v = torch.slice(vc[i], 1, 0, length)
                x = torch.copy_(torch.slice(k, 0, 0, n), torch.index_select(k, 0, order))
                y = torch.copy_(torch.slice(v, 0, 0, n), torch.index_select(v, 0, order))
              return order
            """);
  }

  TensorList keys() {
    return keys;
  }

  TensorList values() {
    return values;
  }

  public int slots() {
    return slots;
  }

  /** Tokens that fit in a slot. */
  public int capacity() {
    return capacity;
  }

  @Override
  public void close() {
    keys.close();
    values.close();
    scope.close();
  }
}
