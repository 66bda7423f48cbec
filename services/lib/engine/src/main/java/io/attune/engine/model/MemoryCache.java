package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Attention;
import io.attune.engine.tensor.TensorList;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.List;

/**
 * What a decoder's layers make of texts that the encoder read: keys and values of {@link #slots()}
 * texts of up to {@link #capacity()} tokens, [slots, capacity, K, D] for each layer. One thread at
 * a time.
 */
public final class MemoryCache implements AutoCloseable {
  private final NDManager scope = Torch.scope("memory-cache");
  private final int capacity;
  private final int[] lengths;
  private final TensorList keys;
  private final TensorList values;

  MemoryCache(CrossStack decoder, int slots, int capacity) {
    this.capacity = capacity;
    this.lengths = new int[slots];
    Attention.Heads heads = decoder.heads();
    Shape shape = new Shape(slots, capacity, heads.keyValues(), heads.size());
    List<NDArray> k = new ArrayList<>();
    List<NDArray> v = new ArrayList<>();
    for (int i = 0; i < decoder.layers(); i++) {
      k.add(scope.zeros(shape, DataType.FLOAT32));
      v.add(scope.zeros(shape, DataType.FLOAT32));
    }
    keys = new TensorList(k);
    values = new TensorList(v);
  }

  TensorList keys() {
    return keys;
  }

  TensorList values() {
    return values;
  }

  /** Tokens of the text in a slot; 0 where none was read. */
  int length(int slot) {
    return lengths[slot];
  }

  void setLength(int slot, int length) {
    lengths[slot] = length;
  }

  public int slots() {
    return lengths.length;
  }

  /** Tokens of a text that fit in a slot. */
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
