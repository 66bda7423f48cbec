package io.attune.engine.checkpoint;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.Arrays;

/**
 * What a file says about one tensor.
 *
 * @param shape sizes of the dimensions, outermost first; empty for a scalar
 * @param begin first byte, counted from the end of the header
 * @param end one past the last byte
 */
public record TensorInfo(String name, TensorType type, long[] shape, long begin, long end) {

  /**
   * Elements of a tensor of this shape; refuses negative sizes and more than 2^63-1 elements.
   *
   * @param where names the tensor and its file in the message
   */
  static long elements(String where, long[] shape) {
    long count = 1;
    for (long size : shape) {
      if (size < 0) {
        throw new EngineException(
            Reason.CORRUPT, where + " has a negative size in its shape " + Arrays.toString(shape));
      }
      count = multiply(where, shape, count, size);
    }
    return count;
  }

  /** Bytes that a tensor of this type and shape takes. */
  static long byteSize(String where, TensorType type, long[] shape) {
    return multiply(where, shape, elements(where, shape), type.bytes());
  }

  private static long multiply(String where, long[] shape, long a, long b) {
    try {
      return Math.multiplyExact(a, b);
    } catch (ArithmeticException e) {
      throw new EngineException(
          Reason.CORRUPT, where + " has an impossible shape " + Arrays.toString(shape), e);
    }
  }

  public long elements() {
    return elements(name, shape);
  }

  public long byteSize() {
    return end - begin;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TensorInfo that
        && name.equals(that.name)
        && type == that.type
        && Arrays.equals(shape, that.shape)
        && begin == that.begin
        && end == that.end;
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
