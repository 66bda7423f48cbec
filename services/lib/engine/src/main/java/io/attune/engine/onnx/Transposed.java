package io.attune.engine.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.AbstractList;

/** The bytes of a transposed matrix, made block by block as they are asked for. */
final class Transposed extends AbstractList<ByteBuffer> {
  private static final int BLOCK_BYTES = 1 << 20;

  private final ByteBuffer matrix;
  private final int elementBytes;
  private final int rows;
  private final int columns;
  private final int columnsPerBlock;

  /**
   * @param matrix [rows, columns], row-major
   */
  Transposed(OnnxTensor matrix) {
    this.matrix = matrix.data();
    this.elementBytes = matrix.type().bytes();
    this.rows = Math.toIntExact(matrix.shape()[0]);
    this.columns = Math.toIntExact(matrix.shape()[1]);
    this.columnsPerBlock = Math.max(1, BLOCK_BYTES / Math.max(1, rows * elementBytes));
  }

  @Override
  public ByteBuffer get(int index) {
    int first = index * columnsPerBlock;
    int last = Math.min(columns, first + columnsPerBlock);
    ByteBuffer block =
        ByteBuffer.allocate((last - first) * rows * elementBytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int column = first; column < last; column++) {
      for (int row = 0; row < rows; row++) {
        int at = (row * columns + column) * elementBytes;
        if (elementBytes == Float.BYTES) {
          block.putInt(matrix.getInt(at));
        } else {
          block.putShort(matrix.getShort(at));
        }
      }
    }
    return block.flip();
  }

  @Override
  public int size() {
    return (columns + columnsPerBlock - 1) / columnsPerBlock;
  }
}
