package io.attune.engine.checkpoint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.List;

/** Between tensors in files and arrays in memory. */
public final class TensorArrays {
  private TensorArrays() {}

  /**
   * A tensor as float32, whatever floating-point type the file has.
   *
   * <p>Where the file already holds float32 the array <em>is</em> the mapped file: nothing is
   * copied, processes share it, and it must never be written to. {@link #readOwned} gives one that
   * may be.
   */
  public static NDArray readFloat(TensorReader from, String name, NDManager manager) {
    TensorInfo info = from.info(name);
    Shape shape = new Shape(info.shape());
    return switch (info.type()) {
      case F32 -> manager.create(from.data(name), shape, DataType.FLOAT32);
      case BF16 -> manager.create(widened(from.data(name), info), shape, DataType.FLOAT32);
      case F16, F64 -> {
        DataType type = info.type() == TensorType.F16 ? DataType.FLOAT16 : DataType.FLOAT64;
        try (NDArray stored = manager.create(from.data(name), shape, type)) {
          NDArray result = stored.toType(DataType.FLOAT32, true);
          result.attach(manager);
          yield result;
        }
      }
      default ->
          throw new EngineException(
              Reason.UNSUPPORTED,
              from.source() + ": tensor " + info + " is not floating-point; convert the weights");
    };
  }

  /** As {@link #readFloat}, in memory of its own. */
  public static NDArray readOwned(TensorReader from, String name, NDManager manager) {
    NDArray array = readFloat(from, name, manager);
    if (from.info(name).type() != TensorType.F32) {
      return array;
    }
    try (array) {
      NDArray copy = array.duplicate();
      copy.attach(manager);
      return copy;
    }
  }

  /** The upper half of a float32 is a bfloat16. */
  private static ByteBuffer widened(ByteBuffer data, TensorInfo info) {
    int count = Math.toIntExact(info.elements());
    ByteBuffer wide =
        ByteBuffer.allocateDirect(Math.multiplyExact(count, Float.BYTES))
            .order(ByteOrder.nativeOrder());
    ShortBuffer narrow = data.order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
    for (int i = 0; i < count; i++) {
      wide.putInt(i * Integer.BYTES, narrow.get(i) << 16);
    }
    return wide;
  }

  /** A float32 array, to be written; its bytes are fetched when its turn comes. */
  public static TensorData write(String name, NDArray array) {
    return new TensorData(
        name,
        TensorType.F32,
        array.getShape().getShape(),
        () -> List.of(array.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN)));
  }
}
