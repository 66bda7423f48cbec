package io.attune.engine.onnx;

import io.attune.engine.checkpoint.TensorType;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A constant of the graph.
 *
 * @param type null for an element type that no encoder's weights have
 * @param data little-endian, row-major, where the file is mapped; null where type is
 */
record OnnxTensor(String name, TensorType type, long[] shape, ByteBuffer data) {

  long elements() {
    long count = 1;
    for (long size : shape) {
      count *= size;
    }
    return count;
  }

  boolean hasShape(long... sizes) {
    return Arrays.equals(shape, sizes);
  }

  /** Whether it is one number, as a scalar or a list of one. */
  boolean isSingle() {
    return type != null && shape.length <= 1 && elements() == 1;
  }

  /** The number of a {@link #isSingle() single}, widened. */
  double value() {
    return switch (type) {
      case F32 -> data.getFloat(0);
      case F64 -> data.getDouble(0);
      case F16 -> half(data.getShort(0));
      case BF16 -> Float.intBitsToFloat(data.getShort(0) << 16);
      case I64 -> data.getLong(0);
      case I32 -> data.getInt(0);
      case I16 -> data.getShort(0);
      case I8, U8, BOOL -> data.get(0);
    };
  }

  /** IEEE 754 binary16. */
  private static double half(short bits) {
    int exponent = bits >> 10 & 0x1f;
    int fraction = bits & 0x3ff;
    double magnitude =
        switch (exponent) {
          case 0 -> Math.scalb((double) fraction, -24);
          case 0x1f -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
          default -> Math.scalb(1024.0 + fraction, exponent - 25);
        };
    return bits < 0 ? -magnitude : magnitude;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OnnxTensor that && name.equals(that.name);
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  @Override
  public String toString() {
    return "'" + name + "' " + type + Arrays.toString(shape);
  }
}
