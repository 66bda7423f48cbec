package io.attune.engine.gguf;

import io.attune.engine.checkpoint.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.LongUnaryOperator;

/**
 * A tensor's numbers in row-major order, dequantised by the piece while it is read. A piece is
 * valid until the next one is asked for.
 */
final class TensorValues implements Iterable<ByteBuffer> {
  private static final int PIECE = 1 << 18;

  private final List<ByteBuffer> segments;
  private final GgmlType type;
  private final TensorType out;

  /** Blocks of a run that stays together, and for each run which one of the file it is. */
  private final long runBlocks;

  private final LongUnaryOperator order;
  private final long blocks;

  private TensorValues(
      GgufFile file, GgufTensor tensor, TensorType out, long runBlocks, LongUnaryOperator order) {
    this.segments = file.segments(tensor);
    this.type = tensor.type();
    this.out = out;
    this.runBlocks = runBlocks;
    this.order = order;
    this.blocks = tensor.byteSize() / tensor.type().blockBytes();
  }

  /**
   * In the order of the file.
   *
   * @param out F32, BF16 or F16
   */
  static TensorValues of(GgufFile file, GgufTensor tensor, TensorType out) {
    long all = tensor.byteSize() / tensor.type().blockBytes();
    return new TensorValues(file, tensor, out, all, run -> run);
  }

  /**
   * With its rows, or a vector's elements, in another order.
   *
   * @param order from a row's place in the result to its place in the file
   */
  static TensorValues reordered(
      GgufFile file, GgufTensor tensor, TensorType out, LongUnaryOperator order) {
    long all = tensor.byteSize() / tensor.type().blockBytes();
    return new TensorValues(file, tensor, out, all / tensor.shape()[0], order);
  }

  @Override
  public Iterator<ByteBuffer> iterator() {
    return new Pieces();
  }

  private final class Pieces implements Iterator<ByteBuffer> {
    private final float[] values = new float[(int) Math.min(PIECE, blocks * type.blockElements())];
    private final ByteBuffer bytes =
        ByteBuffer.allocate(values.length * out.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    private long next;

    @Override
    public boolean hasNext() {
      return next < blocks;
    }

    @Override
    public ByteBuffer next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      int count = 0;
      while (count < values.length && next < blocks) {
        count += decodeRun(count);
      }
      return encode(count);
    }

    /** Decodes blocks that follow one another in one segment; returns how many elements. */
    private int decodeRun(int to) {
      long within = next % runBlocks;
      long at = (order.applyAsLong(next / runBlocks) * runBlocks + within) * type.blockBytes();
      int segmentBytes = segments.get(0).capacity();
      ByteBuffer segment = segments.get((int) (at / segmentBytes));
      int offset = (int) (at % segmentBytes);
      int count = (values.length - to) / type.blockElements();
      count = (int) Math.min(count, runBlocks - within);
      count = Math.min(count, (segment.capacity() - offset) / type.blockBytes());
      for (int i = 0; i < count; i++) {
        type.decoder()
            .decode(segment, offset + i * type.blockBytes(), values, to + i * type.blockElements());
      }
      next += count;
      return count * type.blockElements();
    }

    private ByteBuffer encode(int count) {
      bytes.clear();
      switch (out) {
        case F32 -> bytes.asFloatBuffer().put(values, 0, count);
        case BF16 -> {
          for (int i = 0; i < count; i++) {
            bytes.putShort(i * Short.BYTES, HalfPrecision.toBfloat16(values[i]));
          }
        }
        case F16 -> {
          for (int i = 0; i < count; i++) {
            bytes.putShort(i * Short.BYTES, HalfPrecision.toFloat16(values[i]));
          }
        }
        default -> throw new IllegalArgumentException("weights are not written as " + out);
      }
      return bytes.limit(count * out.bytes());
    }
  }
}
