package io.attune.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafeTensorsTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {"models/llama/model.safetensors", "adapters/lora/adapter_model.safetensors"})
  void writesTheBytesThatTheReferenceImplementationWrites(String file) throws Exception {
    Path copy = folder.resolve("copy.safetensors");

    try (SafeTensors original = SafeTensors.open(GOLDEN.resolve(file))) {
      List<TensorData> tensors = new ArrayList<>();
      original.names().forEach(name -> tensors.add(0, TensorData.copy(original, name, name)));
      SafeTensorsWriter.write(copy, tensors, original.metadata());
    }

    assertThat(Files.mismatch(copy, GOLDEN.resolve(file))).isEqualTo(-1);
  }

  @Test
  void readsShapesTypesAndValues() {
    Path path = folder.resolve("t.safetensors");
    SafeTensorsWriter.write(
        path,
        List.of(
            TensorData.of("floats", new long[] {2, 2}, new float[] {1, -2, 3.5f, 0}),
            TensorData.of("longs", new long[] {3}, new long[] {7, -8, 1L << 40}),
            TensorData.of("byte", TensorType.U8, new long[] {}, ByteBuffer.wrap(new byte[] {9})),
            TensorData.of("none", new long[] {0, 4}, new float[0])),
        Map.of("b", "2", "a", "1"));

    try (SafeTensors file = SafeTensors.open(path)) {
      assertThat(file.names()).containsExactlyInAnyOrder("longs", "none", "floats", "byte");
      assertThat(file.metadata()).containsEntry("a", "1").containsEntry("b", "2");
      assertThat(file.info("floats").shape()).containsExactly(2, 2);
      assertThat(file.info("none").byteSize()).isZero();
      assertThat(file.info("byte").elements()).isEqualTo(1);
      ByteBuffer floats = file.data("floats");
      assertThat(floats.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
      assertThat(floats.getFloat(8)).isEqualTo(3.5f);
      assertThat(file.data("longs").getLong(16)).isEqualTo(1L << 40);
      assertThat(file.segments("none")).isEmpty();
    }
  }

  @Test
  void readsBeyondTwoGibibytesFromSparseFile() throws Exception {
    Path path = folder.resolve("large.safetensors");
    long large = (2L << 30) + 8;
    String json =
        "{\"large\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]},\"last\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[%d,%d]}}"
            .formatted(large, large, large, large + 4);
    json = json + " ".repeat((8 - json.length() % 8) % 8);
    try (var channel =
        java.nio.channels.FileChannel.open(
            path,
            java.nio.file.StandardOpenOption.CREATE_NEW,
            java.nio.file.StandardOpenOption.SPARSE,
            java.nio.file.StandardOpenOption.WRITE)) {
      channel.write(HostileFiles.prefix(json.length()).flip());
      channel.write(ByteBuffer.wrap(json.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
      channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}), 8 + json.length() + large);
    }

    try (SafeTensors file = SafeTensors.open(path)) {
      assertThat(file.data("last").get(3)).isEqualTo((byte) 4);
      assertThat(file.segments("large").stream().mapToLong(ByteBuffer::remaining).sum())
          .isEqualTo(large);
    }
  }
}
