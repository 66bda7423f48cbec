package io.attune.engine.gguf;

import static io.attune.engine.gguf.GgufBuilder.ARRAY;
import static io.attune.engine.gguf.GgufBuilder.BOOL;
import static io.attune.engine.gguf.GgufBuilder.INT32;
import static io.attune.engine.gguf.GgufBuilder.STRING;
import static io.attune.engine.gguf.GgufBuilder.UINT64;
import static io.attune.engine.gguf.GgufBuilder.concat;
import static io.attune.engine.gguf.GgufBuilder.int32;
import static io.attune.engine.gguf.GgufBuilder.int64;
import static io.attune.engine.gguf.GgufBuilder.string;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.Golden;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that lie about themselves: what parsers of this format fell for. */
class HostileGgufTest {
  private static final int F32 = 0;
  private static final int Q8_0 = 8;

  @TempDir Path folder;
  private final GgufBuilder file = new GgufBuilder();

  private void assertRefused(Reason reason, byte[] bytes, String message) throws Exception {
    Path path = Files.write(folder.resolve("hostile.gguf"), bytes);
    assertThatThrownBy(
            () -> {
              try (GgufFile opened = GgufFile.open(path)) {
                opened.readFully();
              }
            })
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).as("%s", e).isEqualTo(reason))
        .hasMessageContaining("hostile.gguf")
        .hasMessageContaining(message);
  }

  private void assertCorrupt(String message) throws Exception {
    assertRefused(Reason.CORRUPT, file.build(), message);
  }

  @Test
  void refusesEveryTruncation() throws Exception {
    byte[] whole =
        file.text("a", "b")
            .texts("list", List.of("x", "yz"))
            .integers("numbers", 1, 2, 3)
            .zeros("t", 2, 4)
            .zeros("u", 3)
            .build();
    Path path = Files.write(folder.resolve("whole.gguf"), whole);
    try (GgufFile opened = GgufFile.open(path)) {
      assertThat(opened.readFully()).isEqualTo(11);
    }
    for (int length = 0; length < whole.length - 4; length++) {
      assertRefused(Reason.CORRUPT, Arrays.copyOf(whole, length), "not a valid GGUF file");
    }
  }

  @Test
  void refusesWhatIsNoGguf() throws Exception {
    file.magic = 0x46554748;
    assertCorrupt("does not begin with 'GGUF'");
  }

  @ParameterizedTest
  @CsvSource({
    "0, version 0",
    "1, version 1",
    "4, version 4",
    "-1, version 4294967295",
    "50331648, big-endian"
  })
  void refusesOtherVersions(int version, String message) throws Exception {
    file.version = version;
    assertRefused(Reason.UNSUPPORTED, file.build(), message);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 65_537, 1L << 32, 60_000, 1})
  void refusesCountsBeyondTheFile(long count) throws Exception {
    file.tensorCount = count;
    assertCorrupt("");
    file.tensorCount = 0L;
    file.pairCount = count;
    assertCorrupt("the number of metadata pairs");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32, 100_000, 60})
  void refusesStringLengthsBeyondTheFile(long length) throws Exception {
    file.raw(concat(int64(length), int32(7)));
    assertCorrupt("the length of the key");

    assertRefused(
        Reason.CORRUPT,
        new GgufBuilder().value("k", STRING, int64(length)).build(),
        "metadata 'k'");
    assertRefused(
        Reason.CORRUPT,
        new GgufBuilder().array("k", STRING, 1, int64(length)).build(),
        "metadata 'k'");
  }

  @ParameterizedTest
  @CsvSource({
    "0, -1",
    "0, 1000",
    "7, 1000",
    "8, 1000",
    "9, 1000",
    "10, 9223372036854775807",
    "12, 100000000",
    "10, 2305843009213693952"
  })
  void refusesArrayLengthsBeyondTheFile(int type, long count) throws Exception {
    file.array("k", type, count, new byte[16]);
    assertCorrupt("the length of metadata 'k'");
  }

  @ParameterizedTest
  @ValueSource(ints = {13, -1, Integer.MIN_VALUE, 255})
  void refusesUnknownTypes(int type) throws Exception {
    file.value("k", type, new byte[8]);
    assertCorrupt("metadata 'k' has the unknown type " + Integer.toUnsignedString(type));
    assertRefused(
        Reason.CORRUPT, new GgufBuilder().array("k", type, 0, new byte[8]).build(), "unknown type");
  }

  @Test
  void refusesDeepArraysAndReadsFlatOnes() throws Exception {
    byte[] nested = concat(int32(INT32), int64(0));
    for (int depth = 0; depth < 5_000; depth++) {
      nested = concat(int32(ARRAY), int64(1), nested);
    }
    file.value("k", ARRAY, nested);
    assertCorrupt("nests arrays deeper than");

    byte[] inner = concat(int32(INT32), int64(1), int32(5));
    Path path =
        new GgufBuilder()
            .array("k", ARRAY, 2, concat(inner, inner))
            .write(folder.resolve("flat.gguf"));
    try (GgufFile opened = GgufFile.open(path)) {
      assertThat(opened.readFully()).isZero();
    }
  }

  @Test
  void refusesTextThatIsNotUtf8() throws Exception {
    byte[] broken = concat(int64(1), new byte[] {(byte) 0xFF});
    file.raw(concat(broken, int32(BOOL), new byte[1]));
    assertCorrupt("the key of metadata pair 0 is not UTF-8");
    assertRefused(
        Reason.CORRUPT, new GgufBuilder().value("k", STRING, broken).build(), "is not UTF-8");
    assertRefused(
        Reason.CORRUPT, new GgufBuilder().array("k", STRING, 1, broken).build(), "is not UTF-8");
  }

  @Test
  void refusesTruthValuesThatAreNeither() throws Exception {
    file.value("k", BOOL, new byte[] {2});
    assertCorrupt("neither true nor false");
    assertRefused(
        Reason.CORRUPT,
        new GgufBuilder().array("k", BOOL, 2, new byte[] {1, 2}).build(),
        "neither true nor false");
  }

  @Test
  void refusesNamesThatAreThereTwice() throws Exception {
    file.number("k", 1).text("k", "x");
    assertCorrupt("metadata 'k' is there twice");
    assertRefused(
        Reason.CORRUPT,
        new GgufBuilder().zeros("t", 8).zeros("t", 8).build(),
        "tensor 't' is there twice");
  }

  @Test
  void refusesLongNames() throws Exception {
    file.zeros("n".repeat(65), 8);
    assertCorrupt("the length of the name of tensor 0");
    assertRefused(
        Reason.CORRUPT,
        new GgufBuilder().number("k".repeat(65_536), 1).build(),
        "the length of the key");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -32, 3, 33, 1 << 21})
  void refusesAlignmentsThatAreNone(int alignment) throws Exception {
    file.number("general.alignment", alignment).zeros("t", 8);
    assertCorrupt("general.alignment");
  }

  @Test
  void refusesAlignmentOfAnotherType() throws Exception {
    file.text("general.alignment", "32");
    assertCorrupt("is STRING instead of an integer");
  }

  @Test
  void readsOtherAlignments() {
    file.alignment = 256;
    file.number("general.alignment", 256).zeros("t", 8).zeros("u", 8);
    try (GgufFile opened = GgufFile.open(file.write(folder.resolve("aligned.gguf")))) {
      assertThat(opened.tensors().get("u").begin() % 256).isZero();
      assertThat(opened.readFully()).isEqualTo(16);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 5, 64, -1, Integer.MAX_VALUE})
  void refusesRanksThatNoTensorHas(int rank) throws Exception {
    byte[] sizes = new byte[8 * (rank == 5 ? 5 : 4)];
    Arrays.fill(sizes, (byte) 1);
    Path path = folder.resolve("rank.gguf");
    byte[] bytes =
        concat(
            int32(GgufHeader.MAGIC),
            int32(3),
            int64(1),
            int64(0),
            string("t"),
            int32(rank),
            sizes,
            int32(F32),
            int64(0),
            new byte[64]);
    Files.write(path, bytes);
    assertRefused(Reason.CORRUPT, bytes, "dimensions; at most 4");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, (1L << 28) + 1})
  void refusesSizesThatNoTensorHas(long size) throws Exception {
    file.entry("t", F32, 0, size).data(64);
    assertCorrupt("tensor 't' has a dimension of size");
    assertRefused(
        Reason.CORRUPT, new GgufBuilder().entry("t", F32, 0, 2, size).data(64).build(), "of size");
  }

  @Test
  void refusesShapesWhoseSizeOverflows() throws Exception {
    long large = 1L << 28;
    file.entry("t", F32, 0, large, large, large, large).data(64);
    assertCorrupt("tensor 't' has an impossible shape");
    // 2^62 bytes: no overflow yet, but more than the file.
    assertRefused(
        Reason.CORRUPT,
        new GgufBuilder().entry("t", F32, 32, 16, 1 << 28, 1 << 28).data(64).build(),
        "truncated?");
  }

  @ParameterizedTest
  @CsvSource({"10, Q2_K", "16, IQ2_XXS", "28, F64", "26, I32", "39, MXFP4"})
  void namesTheTypesThatAreNotImplemented(int type, String name) throws Exception {
    file.entry("t", type, 0, 256).data(4096);
    assertRefused(Reason.UNSUPPORTED, file.build(), "tensor 't' has type " + name);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5, 31, 99, -1})
  void refusesTypesThatAreNone(int type) throws Exception {
    file.entry("t", type, 0, 256).data(4096);
    assertCorrupt("unknown type " + Integer.toUnsignedString(type));
  }

  @Test
  void refusesRowsThatAreNoWholeBlocks() throws Exception {
    file.entry("t", Q8_0, 0, 32, 33).data(4096);
    assertCorrupt("rows of 33 elements");
  }

  @ParameterizedTest
  @ValueSource(longs = {-32, Long.MIN_VALUE, Long.MAX_VALUE - 31, 64, 96, 1L << 40})
  void refusesOffsetsOutsideOfTheFile(long offset) throws Exception {
    file.entry("t", F32, offset, 8).data(64);
    assertCorrupt("truncated?");
  }

  @Test
  void refusesOffsetsThatAreNotAligned() throws Exception {
    file.entry("t", F32, 4, 8).data(64);
    assertCorrupt("not a multiple of 32");
  }

  @Test
  void refusesOverlaps() throws Exception {
    file.entry("t", F32, 0, 16).entry("u", F32, 32, 8).data(128);
    assertCorrupt("tensors 't' and 'u' overlap");
    assertRefused(
        Reason.CORRUPT,
        new GgufBuilder().entry("t", F32, 32, 8).entry("u", F32, 32, 8).data(128).build(),
        "overlap");
  }

  @Test
  void refusesNumbersBeyond63Bits() throws Exception {
    file.value("general.alignment", UINT64, int64(-1));
    assertCorrupt("is 18446744073709551615");
  }

  @Test
  void refusesMoreTextThanAnyVocabularyHas() throws Exception {
    file.texts("k", Collections.nCopies(20, "x".repeat(1_000_000)));
    assertCorrupt("has more than");
    assertRefused(
        Reason.CORRUPT,
        new GgufBuilder().array("k", STRING, 1 << 21, new byte[8 << 21]).build(),
        "the length of metadata 'k'");
    assertRefused(
        Reason.CORRUPT, new GgufBuilder().text("k", "x".repeat((1 << 20) + 1)).build(), "limit");
  }

  @Test
  void surviveEveryBitFlipOfAHeader() throws Exception {
    byte[] whole = Files.readAllBytes(Golden.path("gguf/llama.gguf"));
    Path path = folder.resolve("flipped.gguf");
    int refused = 0;
    for (int i = 0; i < whole.length; i += 13) {
      byte[] flipped = whole.clone();
      flipped[i] ^= (byte) (1 << i % 8);
      Files.write(path, flipped);
      try (GgufFile opened = GgufFile.open(path)) {
        opened.readFully();
      } catch (EngineException e) {
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }
}
