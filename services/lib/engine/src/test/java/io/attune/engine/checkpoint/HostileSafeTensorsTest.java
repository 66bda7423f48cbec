package io.attune.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.tensor.Torch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The reference implementation's negative cases, and those that other readers fell for. */
class HostileSafeTensorsTest {
  @TempDir Path folder;
  private Path path;

  @BeforeEach
  void setUp() {
    path = folder.resolve("hostile.safetensors");
  }

  private void assertCorrupt(String message) {
    assertThatThrownBy(() -> SafeTensors.open(path))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT))
        .hasMessageContaining("hostile.safetensors")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, 100_000_001, Integer.MAX_VALUE, Long.MAX_VALUE})
  void refusesHeaderLengthBeyondTheLimit(long length) throws Exception {
    HostileFiles.write(path, length, new byte[] {'{'}, 0);

    assertCorrupt("limit");
  }

  @Test
  void refusesHeaderLongerThanTheFile() throws Exception {
    HostileFiles.write(path, 100_000_000, "{}".getBytes(StandardCharsets.UTF_8), 0);

    assertCorrupt("should have 100000000 bytes");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void refusesFileWithoutHeaderLength(int size) throws Exception {
    Files.write(path, new byte[size]);

    assertCorrupt("only " + size + " bytes");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "x{}",
        "{",
        "{}{}",
        "{\"a\":1}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[0.5],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[\"1\"],\"data_offsets\":[0,1]}}",
        "{\"__metadata__\":{\"a\":1}}",
        "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}",
        "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[0],\"data_offsets\":[0,0]}}"
      })
  void refusesMalformedHeader(String header) throws Exception {
    HostileFiles.write(path, header, 0);

    assertCorrupt("not a valid safetensors file");
  }

  @Test
  void refusesTheSameNameTwice() throws Exception {
    String tensor = "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}";
    HostileFiles.write(path, "{" + tensor + "," + tensor + "}", 2);

    assertCorrupt("Duplicate");
  }

  @Test
  void refusesDeepNesting() throws Exception {
    int depth = 1_000_000;
    HostileFiles.write(path, "{\"a\":" + "[".repeat(depth) + "]".repeat(depth) + "}", 0);

    assertCorrupt("header");
  }

  @Test
  void refusesNestingInUnknownKey() throws Exception {
    String nested = "[".repeat(100_000) + "]".repeat(100_000);
    HostileFiles.write(path, "{\"a\":{\"x\":" + nested + "}}", 0);

    assertCorrupt("nesting");
  }

  @Test
  void refusesHeaderThatIsNotUtf8() throws Exception {
    HostileFiles.write(path, 4, new byte[] {'{', (byte) 0xff, (byte) 0xfe, '}'}, 0);

    assertCorrupt("UTF-8");
  }

  @ParameterizedTest
  @CsvSource({
    // begin a, end a, begin b, end b, bytes of data
    "0, 4, 0, 4, 4", // the same bytes twice
    "0, 4, 2, 6, 6", // overlap
    "0, 4, 5, 9, 9", // hole
    "4, 8, 8, 12, 12", // nothing at the start
    "0, 4, 4, 8, 9", // something at the end
    "0, 4, 4, 8, 7", // truncated
    "4, 0, 4, 8, 8", // backwards
    "0, 4, 4, 2147483647, 8", // far beyond the end
  })
  void refusesTensorsThatDoNotTileTheData(long a0, long a1, long b0, long b1, int data)
      throws Exception {
    String entry = "\"%s\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[%d,%d]}";
    HostileFiles.write(
        path, "{" + entry.formatted("a", a0, a1) + "," + entry.formatted("b", b0, b1) + "}", data);

    assertCorrupt("bytes");
  }

  @ParameterizedTest
  @CsvSource({
    "'[1099511627776]', 16",
    "'[4294967296,4294967296]', 16",
    "'[9223372036854775807,2]', 16",
    "'[4611686018427387904,4]', 0",
    "'[3]', 16",
  })
  void refusesShapeThatDoesNotMatchItsBytes(String shape, int bytes) throws Exception {
    HostileFiles.write(
        path,
        "{\"a\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[0,%d]}}".formatted(shape, bytes),
        bytes);

    assertCorrupt("a");
  }

  @Test
  void refusesShapeOfManyDimensions() throws Exception {
    String ones = "1,".repeat(1000) + "1";
    HostileFiles.write(
        path,
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[%s],\"data_offsets\":[0,1]}}".formatted(ones),
        1);

    assertCorrupt("dimensions");
  }

  @Test
  void acceptsWhiteSpaceAroundTheHeaderAndUnknownKeys() throws Exception {
    HostileFiles.write(
        path, "  {\"a\":{\"dtype\":\"U8\",\"x\":[1],\"shape\":[2],\"data_offsets\":[0,2]}}\n ", 2);

    try (SafeTensors file = SafeTensors.open(path)) {
      assertThat(file.names()).containsExactly("a");
    }
  }

  @Test
  void namesUnsupportedType() throws Exception {
    HostileFiles.write(
        path, "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);

    assertThatThrownBy(() -> SafeTensors.open(path))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("F8_E4M3");
  }

  /** Names of so many tensors, each of no bytes. */
  private static String empty(int count, int nameLength) {
    StringBuilder header = new StringBuilder("{");
    for (int i = 0; i < count; i++) {
      header
          .append(i == 0 ? "" : ",")
          .append('"')
          .append("%08d".formatted(i))
          .append("x".repeat(nameLength - 8))
          .append("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
    }
    return header.append('}').toString();
  }

  @Test
  void refusesMoreTensorsThanAnyModelHas() throws Exception {
    HostileFiles.write(path, empty(250_001, 8), 0);

    assertCorrupt("more than 250000 tensors");
  }

  @Test
  void refusesMoreTextThanAnyHeaderHas() throws Exception {
    HostileFiles.write(path, empty(1, 1025), 0);
    assertCorrupt("Name length");

    HostileFiles.write(path, empty(33_000, 1024), 0);
    assertCorrupt("more than 33554432 characters of names");

    String large = "\"" + "x".repeat(8 << 20) + "\"";
    HostileFiles.write(
        path,
        "{\"__metadata__\":{\"a\":%1$s,\"b\":%1$s,\"c\":%1$s,\"d\":%1$s}}".formatted(large),
        0);
    assertCorrupt("metadata exceeds 33554432 characters");

    HostileFiles.write(path, "{\"__metadata__\":{\"a\":\"" + "x".repeat(9 << 20) + "\"}}", 0);
    assertCorrupt("String value length");
  }

  @Test
  void namesTensorThatIsMissingOrNoWeight() throws Exception {
    HostileFiles.write(path, "{\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8);

    try (SafeTensors file = SafeTensors.open(path);
        NDManager scope = Torch.scope("hostile")) {
      assertThatThrownBy(() -> file.info("b"))
          .isInstanceOfSatisfying(
              EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INCOMPATIBLE))
          .hasMessageContaining("has no tensor 'b'");
      assertThatThrownBy(() -> TensorArrays.readFloat(file, "a", scope))
          .isInstanceOfSatisfying(
              EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNSUPPORTED))
          .hasMessageContaining("a I64[1] is not floating-point");
    }
  }
}
