package io.attune.engine.gguf;

import java.util.Arrays;

/**
 * What a file says about one tensor.
 *
 * @param shape sizes of the dimensions, outermost first: the other way round than in the file
 * @param begin first byte, counted from the beginning of the file
 * @param byteSize of whole blocks
 */
record GgufTensor(String name, GgmlType type, long[] shape, long begin, long byteSize) {

  long elements() {
    return byteSize / type.blockBytes() * type.blockElements();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GgufTensor that
        && name.equals(that.name)
        && type == that.type
        && Arrays.equals(shape, that.shape)
        && begin == that.begin
        && byteSize == that.byteSize;
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  @Override
  public String toString() {
    return name + " " + type + Arrays.toString(shape);
  }
}
