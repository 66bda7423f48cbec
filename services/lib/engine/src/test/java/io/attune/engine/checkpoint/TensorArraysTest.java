package io.attune.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.tensor.Torch;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorArraysTest {
  private static final int ROWS = 1_003;
  private static final int COLUMNS = 1_021;

  @TempDir Path folder;

  @Test
  void bfloat16IsWidenedExactlyAndLeavesTheJavaDirectMemoryAlone() {
    Path path = folder.resolve("t.safetensors");
    ByteBuffer bytes =
        ByteBuffer.allocate(ROWS * COLUMNS * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
      bytes.putShort(bits(i));
    }
    SafeTensorsWriter.write(
        path,
        List.of(
            TensorData.of("w", TensorType.BF16, new long[] {ROWS, COLUMNS}, bytes.flip()),
            TensorData.of("one", TensorType.BF16, new long[] {}, one())),
        Map.of());

    try (SafeTensors file = SafeTensors.open(path);
        NDManager scope = Torch.scope("test")) {
      long before = directMemory();
      NDArray array = TensorArrays.readFloat(file, "w", scope);
      assertThat(directMemory() - before).isLessThan(2 << 20);

      assertThat(array.getShape().getShape()).containsExactly(ROWS, COLUMNS);
      float[] values = array.toFloatArray();
      for (int i = 0; i < values.length; i++) {
        if (Float.floatToRawIntBits(values[i]) != bits(i) << 16) {
          assertThat(values[i]).as("element " + i).isEqualTo(Float.intBitsToFloat(bits(i) << 16));
        }
      }
      assertThat(TensorArrays.readFloat(file, "one", scope).getFloat()).isEqualTo(1);
    }
  }

  /** Every bit pattern but those of NaN, whose payload hardware may change. */
  private static short bits(int i) {
    short bits = (short) (i * 31);
    return Float.isNaN(Float.intBitsToFloat(bits << 16)) ? 0 : bits;
  }

  private static ByteBuffer one() {
    return ByteBuffer.allocate(Short.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort((short) (Float.floatToRawIntBits(1) >> 16))
        .flip();
  }

  private static long directMemory() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }
}
