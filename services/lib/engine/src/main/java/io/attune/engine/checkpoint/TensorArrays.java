package io.attune.engine.checkpoint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.tensor.Bfloat16;
import io.attune.engine.tensor.Torch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.ArrayList;
import java.util.List;

/** Between tensors in files and arrays in memory. */
public final class TensorArrays {
  /** Elements that are widened at once. */
  private static final int PIECE = 1 << 18;

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
      case F32 -> manager.create(aligned(from.data(name), info), shape, DataType.FLOAT32);
      case BF16 -> widened(from.data(name), shape, manager);
      case F16, F64 -> {
        DataType type = info.type() == TensorType.F16 ? DataType.FLOAT16 : DataType.FLOAT64;
        try (NDArray stored = manager.create(aligned(from.data(name), info), shape, type)) {
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

  /** As {@link #readFloat}, as bfloat16: the mapped file itself where the file has that type. */
  public static NDArray readBfloat16(TensorReader from, String name, NDManager manager) {
    TensorInfo info = from.info(name);
    if (info.type() == TensorType.BF16) {
      return manager.create(
          aligned(from.data(name), info), new Shape(info.shape()), DataType.BFLOAT16);
    }
    try (NDArray wide = readFloat(from, name, manager)) {
      return Bfloat16.of(wide, manager);
    }
  }

  /**
   * As {@link #readFloat}, in memory of its own, without mapping the file where it can: a mapped
   * file's pages count as the process's memory for as long as any tensor of it is used.
   */
  public static NDArray readOwned(TensorReader from, String name, NDManager manager) {
    TensorInfo info = from.info(name);
    if (info.type() != TensorType.F32 && info.type() != TensorType.BF16) {
      return readFloat(from, name, manager); // converted, so not the file
    }
    Shape shape = new Shape(info.shape());
    int bytes = info.type().bytes();
    NDArray result = manager.create(shape, DataType.FLOAT32);
    int most = (int) Math.min(shape.size(), PIECE);
    ByteBuffer stored = ByteBuffer.allocateDirect(most * bytes).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer piece = ByteBuffer.allocateDirect(most * Float.BYTES).order(ByteOrder.nativeOrder());
    for (long start = 0; start < shape.size(); start += PIECE) {
      int count = (int) Math.min(PIECE, shape.size() - start);
      stored.clear().limit(count * bytes);
      from.read(name, start * bytes, stored);
      for (int i = 0; i < count; i++) {
        piece.putInt(
            i * Integer.BYTES,
            bytes == Float.BYTES
                ? stored.getInt(i * bytes)
                : stored.getShort(i * bytes) << Short.SIZE);
      }
      ByteBuffer filled = piece.slice(0, count * Float.BYTES).order(ByteOrder.nativeOrder());
      try (NDArray part = manager.create(filled, new Shape(count), DataType.FLOAT32)) {
        Torch.put(part, result, start);
      }
    }
    return result;
  }

  /**
   * The bytes where native code may read them: a multiple of the element's size. A file may put
   * them elsewhere; then they are copied.
   */
  private static ByteBuffer aligned(ByteBuffer data, TensorInfo info) {
    if (!data.hasRemaining() || data.alignmentOffset(0, info.type().bytes()) == 0) {
      return data;
    }
    return ByteBuffer.allocateDirect(data.remaining())
        .order(data.order())
        .put(data.duplicate())
        .flip();
  }

  /**
   * The upper half of a float32 is a bfloat16. Widened by the piece: a buffer as large as the
   * tensor would stay the array's memory, and the JVM allows no more of those than its heap.
   */
  private static NDArray widened(ByteBuffer data, Shape shape, NDManager manager) {
    ShortBuffer narrow = data.order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
    NDArray result = manager.create(shape, DataType.FLOAT32);
    int total = narrow.remaining();
    ByteBuffer piece =
        ByteBuffer.allocateDirect(Math.min(total, PIECE) * Float.BYTES)
            .order(ByteOrder.nativeOrder());
    for (int start = 0; start < total; start += PIECE) {
      int count = Math.min(PIECE, total - start);
      for (int i = 0; i < count; i++) {
        piece.putInt(i * Integer.BYTES, narrow.get(start + i) << 16);
      }
      ByteBuffer filled = piece.slice(0, count * Float.BYTES).order(ByteOrder.nativeOrder());
      try (NDArray part = manager.create(filled, new Shape(count), DataType.FLOAT32)) {
        Torch.put(part, result, start);
      }
    }
    return result;
  }

  /**
   * A float32 array, to be written in another floating-point type, each value rounded to the
   * nearest, ties to even.
   */
  public static TensorData write(String name, NDArray array, TensorType type) {
    long[] shape = array.getShape().getShape();
    return switch (type) {
      case F32 -> write(name, array);
      case BF16 -> new TensorData(name, type, shape, () -> narrowed(array));
      case F16, F64 -> {
        DataType wanted = type == TensorType.F16 ? DataType.FLOAT16 : DataType.FLOAT64;
        yield new TensorData(
            name,
            type,
            shape,
            () -> {
              try (NDArray converted = array.toType(wanted, true)) {
                return List.of(converted.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
              }
            });
      }
      default ->
          throw new EngineException(
              Reason.UNSUPPORTED, "tensor '" + name + "' cannot be written as " + type);
    };
  }

  /** To bfloat16, by the piece. */
  private static List<ByteBuffer> narrowed(NDArray array) {
    ByteBuffer wide = array.toByteBuffer().order(ByteOrder.nativeOrder());
    int total = wide.remaining() / Float.BYTES;
    List<ByteBuffer> parts = new ArrayList<>();
    for (int start = 0; start < total; start += PIECE) {
      int count = Math.min(PIECE, total - start);
      ByteBuffer part = ByteBuffer.allocate(count * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < count; i++) {
        part.putShort(narrowed(wide.getInt((start + i) * Float.BYTES)));
      }
      parts.add(part.flip());
    }
    return parts;
  }

  /** The upper half of a float32's bits, rounded; NaN stays one. */
  private static short narrowed(int bits) {
    boolean nan = (bits & 0x7fffffff) > 0x7f800000;
    return (short) (nan ? bits >>> 16 | 0x40 : bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  /** What an array is written as by {@link #writeAsIs}: F32, BF16 or U8. */
  public static TensorType type(NDArray array) {
    if (Bfloat16.is(array)) {
      return TensorType.BF16;
    }
    return switch (array.getDataType()) {
      case FLOAT32 -> TensorType.F32;
      case UINT8 -> TensorType.U8;
      default -> throw new IllegalArgumentException("no type for " + array.getDataType());
    };
  }

  /** An array, to be written in the type that it has. */
  public static TensorData writeAsIs(String name, NDArray array) {
    long[] shape = array.getShape().getShape();
    return switch (type(array)) {
      case U8 -> new TensorData(name, TensorType.U8, shape, () -> List.of(array.toByteBuffer()));
      case BF16 ->
          new TensorData(
              name,
              TensorType.BF16,
              shape,
              () -> {
                try (NDArray wide = Bfloat16.widened(array, array.getManager())) {
                  return narrowed(wide);
                }
              });
      default -> write(name, array);
    };
  }

  /** The way back: a tensor of one of the types of {@link #type}, bfloat16 widened to float32. */
  public static NDArray readAsIs(TensorReader from, String name, NDManager manager) {
    TensorInfo info = from.info(name);
    return info.type() == TensorType.U8
        ? manager.create(from.data(name), new Shape(info.shape()), DataType.UINT8)
        : readFloat(from, name, manager);
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
