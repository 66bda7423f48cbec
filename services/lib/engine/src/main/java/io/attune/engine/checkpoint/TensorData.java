package io.attune.engine.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Supplier;

/**
 * A tensor to write.
 *
 * @param bytes asked for once, when its turn comes, so that a large model is never held twice;
 *     little-endian, in row-major order, together as many bytes as type and shape need. Each part
 *     is written before the next is asked for
 */
public record TensorData(
    String name, TensorType type, long[] shape, Supplier<? extends Iterable<ByteBuffer>> bytes) {

  public static TensorData of(String name, TensorType type, long[] shape, ByteBuffer bytes) {
    return new TensorData(name, type, shape, () -> List.of(bytes.duplicate()));
  }

  public static TensorData of(String name, long[] shape, float[] values) {
    return new TensorData(
        name,
        TensorType.F32,
        shape,
        () -> {
          ByteBuffer bytes =
              ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asFloatBuffer().put(values);
          return List.of(bytes);
        });
  }

  public static TensorData of(String name, long[] shape, long[] values) {
    return new TensorData(
        name,
        TensorType.I64,
        shape,
        () -> {
          ByteBuffer bytes =
              ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asLongBuffer().put(values);
          return List.of(bytes);
        });
  }

  /** The same bytes under another name, straight from the mapped file. */
  public static TensorData copy(TensorReader from, String name, String newName) {
    TensorInfo info = from.info(name);
    return new TensorData(newName, info.type(), info.shape(), () -> from.segments(name));
  }
}
