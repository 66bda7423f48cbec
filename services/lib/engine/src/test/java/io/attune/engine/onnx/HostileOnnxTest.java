package io.attune.engine.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Graphs that are malformed, graphs that compute something else than a BERT, and archives. */
class HostileOnnxTest {
  /** Field numbers of onnx.proto. */
  private static final int GRAPH = 7;

  private static final int NODE = 1;
  private static final int INITIALIZER = 5;
  private static final int OPERATOR = 4;
  private static final int RAW_DATA = 9;

  @TempDir Path folder;
  private Path path;

  @BeforeEach
  void setUp() throws IOException {
    path = folder.resolve("hostile.onnx");
    Files.copy(Golden.path("onnx/tokenizer.json"), folder.resolve("tokenizer.json"));
  }

  private void assertRefused(Reason reason, String message) throws IOException {
    assertThatThrownBy(() -> OnnxImport.write(path, folder.resolve("out"), null))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(reason))
        .hasMessageContaining("hostile")
        .hasMessageContaining(message);
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactlyInAnyOrder(path, folder.resolve("tokenizer.json"));
    }
  }

  /** Each changes what the graph computes, and nothing else. */
  @ParameterizedTest
  @CsvSource({
    "Softmax, Sigmoid, softmax",
    "Erf, Sin, gelu",
    "Sqrt, Tanh, layer norm",
    "Range, Trilu, a mask of padding alone",
    "Slice, Floor, positions that count from 0",
  })
  void refusesAnotherOperator(String operator, String other, String message) throws Exception {
    change(new Proto().text(OPERATOR, operator), new Proto().text(OPERATOR, other));

    assertRefused(Reason.UNSUPPORTED, message);
  }

  @ParameterizedTest
  @CsvSource({
    "1e-6, 1e-5, layer norm epsilon", // in the first norm alone
    "0.5, 0.25, 1/sqrt(4)", // the scale of attention, of which there are 4 to a head
    "1.4142135, 1.5, gelu",
    "2, 3, layer norm", // the exponent of the variance
  })
  void refusesAnotherConstant(float constant, float other, String message) throws Exception {
    change(new Proto().bytes(RAW_DATA, bytes(constant)), new Proto().bytes(RAW_DATA, bytes(other)));

    assertRefused(Reason.UNSUPPORTED, message);
  }

  @Test
  void refusesPositionsThatDoNotCountFromZero() throws Exception {
    change(new Proto().raw(0, 0, 0, 0, 0, 0, 0, 0, 1), new Proto().raw(2, 0, 0, 0, 0, 0, 0, 0, 1));

    assertRefused(Reason.UNSUPPORTED, "positions that count from 0");
  }

  @Test
  void refusesEveryTruncation() throws Exception {
    byte[] graph = graph();
    for (int length = 0; length < graph.length; length += 997) {
      Files.write(path, Arrays.copyOf(graph, length));

      assertRefused(Reason.CORRUPT, "not a valid ONNX file");
    }
  }

  /** A change may go unnoticed or be refused in words; nothing else. */
  @Test
  void survivesMutations() throws Exception {
    Random random = new Random(1);
    int refused = 0;
    for (String name : new String[] {"eager-opset14", "eager-opset20", "sdpa-opset18"}) {
      byte[] graph = Files.readAllBytes(Golden.path("onnx/" + name + ".onnx"));
      for (int i = 0; i < 300; i++) {
        byte[] mutated = graph.clone();
        for (int n = 1 + random.nextInt(4); n > 0; n--) {
          mutated[random.nextInt(mutated.length)] = (byte) random.nextInt(256);
        }
        Files.write(path, mutated);
        try {
          BertGraph.match(OnnxReader.read(path));
        } catch (EngineException e) {
          refused++;
        }
      }
    }
    assertThat(refused).isGreaterThan(300);
  }

  @Test
  void refusesLengthBeyondTheFile() throws Exception {
    write(new Proto().number(1, 8).varint(GRAPH << 3 | 2).varint(Long.MAX_VALUE));

    assertRefused(Reason.CORRUPT, "truncated");
  }

  @Test
  void refusesEndlessInteger() throws Exception {
    write(new Proto().raw(8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1));

    assertRefused(Reason.CORRUPT, "ten bytes");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 4, 6, 7}) // field 0; groups; no wire types
  void refusesFieldsThatCannotBe(int key) throws Exception {
    write(new Proto().raw(key == 0 ? 0 : 8 << 3 | key, 0));

    assertRefused(Reason.CORRUPT, "not a valid ONNX file");
  }

  @Test
  void refusesMoreNodesThanFitTheHeap() throws Exception {
    byte[] node = new Proto().text(2, "a").text(OPERATOR, "b").toByteArray();
    Proto graph = new Proto();
    for (int i = 0; i < 400_000; i++) {
      graph.bytes(NODE, node);
    }
    writeGraph(graph);

    assertRefused(Reason.CORRUPT, "more nodes");
  }

  @Test
  void refusesNameBeyondTheLimit() throws Exception {
    writeGraph(new Proto().message(NODE, new Proto().text(2, "a".repeat(5000))));

    assertRefused(Reason.CORRUPT, "name of 5000 bytes");
  }

  @Test
  void refusesCycle() throws Exception {
    writeGraph(
        new Proto().message(NODE, node("Add", "x", "y")).message(NODE, node("Add", "y", "x")));

    assertRefused(Reason.CORRUPT, "which nothing before it makes");
  }

  @Test
  void refusesValueThatIsMadeTwice() throws Exception {
    writeGraph(
        new Proto()
            .message(INITIALIZER, tensor(new long[] {1}, 4))
            .message(INITIALIZER, tensor(new long[] {1}, 4)));

    assertRefused(Reason.CORRUPT, "'w' is made twice");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 2, 1L << 31, Long.MAX_VALUE})
  void refusesShapeThatDoesNotFitTheData(long size) throws Exception {
    writeGraph(new Proto().message(INITIALIZER, tensor(new long[] {size, 1L << 20, 1L << 20}, 4)));

    assertRefused(Reason.CORRUPT, "tensor 'w'");
  }

  @Test
  void refusesWeightsInAnotherFile() throws Exception {
    writeGraph(new Proto().message(INITIALIZER, new Proto().text(8, "w").number(14, 1)));

    assertRefused(Reason.UNSUPPORTED, "another file");
  }

  @Test
  void saysWhatToDoAboutQuantizedAndFusedGraphs() throws Exception {
    writeGraph(
        new Proto()
            .message(11, new Proto().text(1, "x"))
            .message(NODE, node("DynamicQuantizeLinear", "x", "y"))
            .message(12, new Proto().text(1, "y")));
    assertRefused(Reason.UNSUPPORTED, "export the model unquantized");

    Proto fused = node("SkipLayerNormalization", "x", "y").text(7, "com.microsoft");
    writeGraph(
        new Proto()
            .message(11, new Proto().text(1, "x"))
            .message(NODE, fused)
            .message(12, new Proto().text(1, "y")));
    assertRefused(Reason.UNSUPPORTED, "export the model unoptimized");
  }

  @Test
  void refusesArchiveOfTwoModels() throws Exception {
    path = folder.resolve("hostile.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
      for (String name : new String[] {"../../a.onnx", "tokenizer.json", "/b.onnx"}) {
        zip.putNextEntry(new ZipEntry(name));
        zip.write(new byte[10]);
      }
    }

    assertRefused(Reason.UNSUPPORTED, "'/b.onnx' is the second");
  }

  @Test
  void refusesArchiveWithoutGraphAndArchiveThatIsCutOff() throws Exception {
    path = folder.resolve("hostile.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
      zip.putNextEntry(new ZipEntry("tokenizer.json"));
      zip.write(graph());
    }
    assertRefused(Reason.UNSUPPORTED, "holds no .onnx");

    Files.write(path, Arrays.copyOf(Files.readAllBytes(path), 1000));
    assertRefused(Reason.IO, "cannot read");
  }

  @Test
  void refusesPickles() throws Exception {
    Files.write(path, new byte[] {(byte) 0x80, 2, '}', '.'});
    assertRefused(Reason.UNSUPPORTED, "pickle");

    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
      zip.putNextEntry(new ZipEntry("archive/data.pkl"));
      zip.write(new byte[10]);
    }
    assertRefused(Reason.UNSUPPORTED, "pickle");
  }

  private static Proto node(String operator, String input, String output) {
    return new Proto().text(1, input).text(2, output).text(OPERATOR, operator);
  }

  private static Proto tensor(long[] shape, int dataBytes) {
    Proto tensor = new Proto().text(8, "w").number(2, 1).bytes(RAW_DATA, new byte[dataBytes]);
    for (long size : shape) {
      tensor.number(1, size);
    }
    return tensor;
  }

  private void writeGraph(Proto graph) throws IOException {
    write(new Proto().number(1, 8).message(GRAPH, graph));
  }

  private void write(Proto model) throws IOException {
    Files.write(path, model.toByteArray());
  }

  private static byte[] graph() throws IOException {
    return Files.readAllBytes(Golden.path("onnx/eager-opset14.onnx"));
  }

  /** Replaces the first occurrence by as many other bytes. */
  private void change(Proto from, Proto to) throws IOException {
    byte[] graph = graph();
    byte[] found = from.toByteArray();
    for (int at = 0; at + found.length <= graph.length; at++) {
      if (Arrays.equals(graph, at, at + found.length, found, 0, found.length)) {
        System.arraycopy(to.toByteArray(), 0, graph, at, found.length);
        Files.write(path, graph);
        return;
      }
    }
    throw new AssertionError("the graph does not hold what was to be changed");
  }

  private static byte[] bytes(float value) {
    return ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array();
  }
}
