package io.attune.engine.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.engine.Golden;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Blocks of random bits against what gguf-py 0.19.0 makes of them, bit by bit. */
class BlockDecoderTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(GgmlType.class)
  void dequantisesToTheReferencesBits(GgmlType type) {
    try (SafeTensors golden = SafeTensors.open(Golden.path("gguf/blocks.safetensors"))) {
      ByteBuffer blocks = golden.data(type + ".blocks");
      int count = blocks.remaining() / type.blockBytes();
      float[] values = new float[count * type.blockElements()];
      for (int block = 0; block < count; block++) {
        type.decoder()
            .decode(blocks, block * type.blockBytes(), values, block * type.blockElements());
      }

      ByteBuffer expected = golden.data(type + ".values");
      assertThat(values).hasSize(expected.remaining() / Float.BYTES);
      for (int i = 0; i < values.length; i++) {
        assertThat(Float.floatToRawIntBits(values[i]))
            .as("element %d", i)
            .isEqualTo(expected.getInt(i * Integer.BYTES));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(GgmlType.class)
  void readsLongTensorsByThePiece(GgmlType type) {
    int blocks = 600_000 / type.blockElements();
    byte[] content = new byte[blocks * type.blockBytes()];
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (i % 251 & 0x3F);
    }
    Path path =
        new GgufBuilder()
            .tensor("t", GgufBuilder.typeId(type), content, blocks, type.blockElements())
            .write(folder.resolve("t.gguf"));
    float[] expected = new float[blocks * type.blockElements()];
    ByteBuffer in = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    for (int block = 0; block < blocks; block++) {
      type.decoder().decode(in, block * type.blockBytes(), expected, block * type.blockElements());
    }

    try (GgufFile file = GgufFile.open(path)) {
      GgufTensor tensor = file.tensors().get("t");
      assertSame(read(TensorValues.of(file, tensor, TensorType.F32), expected.length), expected);

      int row = type.blockElements();
      float[] reversed = new float[expected.length];
      for (int i = 0; i < reversed.length; i++) {
        reversed[i] = expected[(blocks - 1 - i / row) * row + i % row];
      }
      TensorValues reordered =
          TensorValues.reordered(file, tensor, TensorType.F32, r -> blocks - 1 - r);
      assertSame(read(reordered, expected.length), reversed);
      assertThat(file.readFully()).isEqualTo(expected.length);
    }
  }

  private static void assertSame(float[] actual, float[] expected) {
    assertThat(Arrays.mismatch(actual, expected)).isEqualTo(-1);
  }

  private static float[] read(TensorValues values, int count) {
    float[] all = new float[count];
    int at = 0;
    for (ByteBuffer piece : values) {
      int size = piece.remaining() / Float.BYTES;
      piece.asFloatBuffer().get(all, at, size);
      at += size;
    }
    assertThat(at).isEqualTo(count);
    return all;
  }
}
