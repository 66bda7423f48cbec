package io.attune.engine.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Protobuf messages that are well-formed but no ONNX graph, and lists without measure. */
class HostileProtoTest {
  /** Field numbers of onnx.proto. */
  private static final int GRAPH = 7;

  private static final int NODE = 1;
  private static final int INITIALIZER = 5;
  private static final int ATTRIBUTE = 5;
  private static final int DIMS = 1;

  @TempDir Path folder;
  private Path path;

  @BeforeEach
  void setUp() {
    path = folder.resolve("hostile.onnx");
  }

  private void assertRefused(Reason reason, Proto model, String message) throws Exception {
    Files.write(path, model.toByteArray());
    assertThatThrownBy(() -> OnnxReader.read(path))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).as("%s", e).isEqualTo(reason))
        .hasMessageContaining("hostile.onnx")
        .hasMessageContaining(message);
  }

  private void assertGraphRefused(Reason reason, Proto graph, String message) throws Exception {
    assertRefused(reason, new Proto().number(1, 8).message(GRAPH, graph), message);
  }

  private void assertTensorRefused(Reason reason, Proto tensor, String message) throws Exception {
    assertGraphRefused(reason, new Proto().message(INITIALIZER, tensor), message);
  }

  private static Proto node() {
    return new Proto().text(2, "y").text(4, "Add");
  }

  private static Proto floats() {
    return new Proto().text(8, "w").number(2, 1);
  }

  @Test
  void refusesModelWithoutGraphOrVersionOrWithTwoGraphs() throws Exception {
    Proto graph = new Proto();
    assertRefused(Reason.CORRUPT, new Proto(), "no graph or no version");
    assertRefused(Reason.CORRUPT, new Proto().number(1, 8), "no graph or no version");
    assertRefused(Reason.CORRUPT, new Proto().message(GRAPH, graph), "no graph or no version");
    assertRefused(
        Reason.CORRUPT, new Proto().number(1, 0).message(GRAPH, graph), "no graph or no version");
    assertRefused(
        Reason.CORRUPT,
        new Proto().number(1, 8).message(GRAPH, graph).message(GRAPH, graph),
        "two graphs");
  }

  @Test
  void refusesNodeWithoutOutputOrOperator() throws Exception {
    Proto lacksOutput = new Proto().text(3, "n").text(4, "Add");
    Proto lacksOperator = new Proto().text(3, "n").text(2, "y");
    for (Proto node : new Proto[] {lacksOutput, lacksOperator}) {
      assertGraphRefused(
          Reason.CORRUPT, new Proto().message(NODE, node), "node 'n' has no output or no operator");
    }
  }

  @Test
  void refusesTheSameAttributeTwice() throws Exception {
    Proto axis = new Proto().text(1, "axis").number(3, 1);
    assertGraphRefused(
        Reason.CORRUPT,
        new Proto().message(NODE, node().message(ATTRIBUTE, axis).message(ATTRIBUTE, axis)),
        "attribute 'axis' twice");
  }

  @Test
  void refusesSparseAndUnpackedWeights() throws Exception {
    assertGraphRefused(
        Reason.UNSUPPORTED, new Proto().message(15, new Proto()), "has sparse weights");
    assertTensorRefused(
        Reason.UNSUPPORTED, floats().bytes(4, new byte[4]).bytes(4, new byte[4]), "are not packed");
  }

  @Test
  void refusesShapeOfManyDimensions() throws Exception {
    Proto tensor = floats().bytes(9, new byte[4]);
    for (int i = 0; i < 17; i++) {
      tensor.number(DIMS, 1);
    }
    assertTensorRefused(Reason.CORRUPT, tensor, "tensor 'w' has 17 dimensions");
  }

  @Test
  void refusesFieldOfAnotherWireType() throws Exception {
    assertRefused(Reason.CORRUPT, new Proto().number(1, 8).number(GRAPH, 0), "wire type 0");
    assertGraphRefused(
        Reason.CORRUPT, new Proto().message(NODE, new Proto().number(2, 1)), "wire type 0");
    assertTensorRefused(Reason.CORRUPT, floats().text(2, "x"), "wire type 2 instead of 0");
  }

  @Test
  void refusesFieldThatEndsEarly() throws Exception {
    // A fixed64 and a fixed32 with fewer bytes than that.
    assertRefused(Reason.CORRUPT, new Proto().raw(8 << 3 | 1, 0, 0), "truncated");
    assertRefused(Reason.CORRUPT, new Proto().raw(8 << 3 | 5, 0, 0), "truncated");
    assertRefused(Reason.CORRUPT, new Proto().raw(8 << 3, 0x80), "truncated");
  }

  @Test
  void refusesNameThatIsNotUtf8() throws Exception {
    assertTensorRefused(
        Reason.CORRUPT, new Proto().bytes(8, new byte[] {(byte) 0xFF}), "is not UTF-8");
  }

  @Test
  void refusesListsWithoutMeasure() throws Exception {
    assertTensorRefused(
        Reason.CORRUPT, floats().bytes(DIMS, new byte[(1 << 17) + 1]), "list of integers takes");

    Proto single = floats();
    for (int i = 0; i < 1025; i++) {
      single.number(DIMS, 1);
    }
    assertTensorRefused(Reason.CORRUPT, single, "list of integers takes 1025");

    Proto graph = new Proto();
    for (int i = 0; i < 9; i++) {
      graph.message(INITIALIZER, new Proto().text(8, "w" + i).bytes(7, new byte[1 << 17]));
    }
    assertGraphRefused(Reason.CORRUPT, graph, "more integers than any encoder");
  }

  @Test
  void refusesMoreTextThanAnyGraphHas() throws Exception {
    Proto node = node();
    String name = "x".repeat(4096);
    Collections.nCopies(8300, name).forEach(input -> node.text(1, input));

    assertGraphRefused(Reason.CORRUPT, new Proto().message(NODE, node), "beyond the limit");
  }

  @Test
  void refusesFileBeyondWhatAProtobufHas() throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(1L << 31);
    }

    assertThatThrownBy(() -> OnnxReader.read(path))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("at most 2 GiB");
    assertThatThrownBy(() -> OnnxReader.read(folder.resolve("none.onnx")))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("no such file");
  }

  @Test
  void refusesArchiveOfManyEntries() throws Exception {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
      for (int i = 0; i <= 10_000; i++) {
        zip.putNextEntry(new ZipEntry(Integer.toString(i)));
      }
    }

    assertThatThrownBy(() -> OnnxSource.open(path, folder))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("more than 10000 entries");
    assertThat(folder).isDirectoryNotContaining("glob:**.import*");
  }

  /** As an archive does whose few bytes unpack to very many. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100_000, 199_999})
  void stopsUnpackingAtTheLimit(int limit) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThatThrownBy(
            () -> OnnxSource.copy(new ByteArrayInputStream(new byte[200_000]), out, limit, "bomb"))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT))
        .hasMessageContaining("bomb unpacks to more than is allowed");
    assertThat(out.size()).isLessThanOrEqualTo(limit);
  }

  @Test
  void unpacksUpToTheLimit() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(OnnxSource.copy(new ByteArrayInputStream(new byte[200_000]), out, 200_000, "entry"))
        .isEqualTo(200_000);
    assertThat(out.size()).isEqualTo(200_000);
  }
}
