package io.attune.engine.onnx;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Reads the parts of {@code onnx.proto} that say what a graph computes: nodes, their attributes,
 * constants, names of inputs and outputs. Types of values, documentation and metadata are skipped.
 *
 * <p>The field numbers in the switches are those of onnx.proto.
 */
final class OnnxReader {
  private static final long[] NONE = {};
  private static final int MAX_RANK = 16;

  private final String source;

  private OnnxReader(String source) {
    this.source = source;
  }

  /** Maps a file, which must not be changed while the graph is in use. */
  static OnnxGraph read(Path path) {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size > Integer.MAX_VALUE) {
        throw new EngineException(
            Reason.UNSUPPORTED, path + " has " + size + " bytes; a protobuf has at most 2 GiB");
      }
      ByteBuffer bytes = channel.map(MapMode.READ_ONLY, 0, size);
      return new OnnxReader(path.toString()).model(ProtoReader.of(bytes, path.toString()));
    } catch (IOException e) {
      String what = Files.exists(path) ? "cannot read " : "no such file: ";
      throw new EngineException(Reason.IO, what + path + ": " + e.getMessage(), e);
    }
  }

  /** ModelProto. */
  private OnnxGraph model(ProtoReader in) {
    OnnxGraph graph = null;
    boolean versioned = false;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> versioned = in.integer() > 0; // ir_version
        case 7 -> {
          if (graph != null) {
            throw in.corrupt("it has two graphs");
          }
          graph = graph(in.message());
        }
        default -> in.skip();
      }
    }
    if (graph == null || !versioned) {
      throw in.corrupt("it has no graph or no version");
    }
    return graph;
  }

  /** GraphProto. */
  private OnnxGraph graph(ProtoReader in) {
    List<OnnxNode> nodes = new ArrayList<>();
    List<OnnxTensor> initializers = new ArrayList<>();
    List<String> inputs = new ArrayList<>();
    List<String> outputs = new ArrayList<>();
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> nodes.add(node(in.message()));
        case 5 -> initializers.add(tensor(in.message()));
        case 11 -> inputs.add(valueName(in.message()));
        case 12 -> outputs.add(valueName(in.message()));
        case 15 -> throw unsupported("it has sparse weights; export it without");
        default -> in.skip();
      }
    }
    return new OnnxGraph(source, nodes, initializers, inputs, outputs);
  }

  /** The name of a ValueInfoProto. */
  private static String valueName(ProtoReader in) {
    String name = "";
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field == 1) {
        name = in.string();
      } else {
        in.skip();
      }
    }
    return name;
  }

  /** NodeProto. */
  private OnnxNode node(ProtoReader in) {
    List<String> inputs = new ArrayList<>(2);
    List<String> outputs = new ArrayList<>(1);
    Map<String, OnnxNode.Attribute> attributes = new HashMap<>(4);
    String name = "";
    String operator = "";
    String domain = "";
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> inputs.add(in.string());
        case 2 -> outputs.add(in.string());
        case 3 -> name = in.string();
        case 4 -> operator = in.string();
        case 5 -> attribute(in.message(), attributes);
        case 7 -> domain = in.string();
        default -> in.skip();
      }
    }
    if (outputs.isEmpty() || operator.isEmpty()) {
      throw in.corrupt("node '" + name + "' has no output or no operator");
    }
    boolean standard = domain.isEmpty() || domain.equals("ai.onnx");
    return new OnnxNode(
        name, standard ? operator : domain + "." + operator, inputs, outputs, attributes);
  }

  /** AttributeProto; a sub-graph is skipped, since no operator that has one is matched. */
  private void attribute(ProtoReader in, Map<String, OnnxNode.Attribute> into) {
    String name = "";
    float real = 0;
    long integer = 0;
    String text = "";
    long[] integers = NONE;
    OnnxTensor tensor = null;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> name = in.string();
        case 2 -> real = in.floating();
        case 3 -> integer = in.integer();
        case 4 -> text = in.string();
        case 5 -> tensor = tensor(in.message());
        case 8 -> integers = in.integers(integers);
        default -> in.skip();
      }
    }
    OnnxNode.Attribute value = new OnnxNode.Attribute(real, integer, text, integers, tensor);
    if (into.put(name, value) != null) {
      throw in.corrupt("a node has attribute '" + name + "' twice");
    }
  }

  /** TensorProto. */
  private OnnxTensor tensor(ProtoReader in) {
    String name = "";
    long code = 0;
    long[] shape = NONE;
    long[] integers = NONE;
    ByteBuffer raw = null;
    ByteBuffer floats = null;
    for (int field = in.next(); field != 0; field = in.next()) {
      switch (field) {
        case 1 -> shape = in.integers(shape);
        case 2 -> code = in.integer();
        case 4 -> {
          if (floats != null) {
            throw unsupported("the numbers of a tensor are not packed; export it anew");
          }
          floats = in.delimited();
        }
        case 7 -> integers = in.integers(integers);
        case 8 -> name = in.string();
        case 9 -> raw = in.delimited();
        case 14 -> {
          if (in.integer() != 0) {
            throw unsupported("its weights are in another file; export it as one file");
          }
        }
        default -> in.skip();
      }
    }
    TensorType type = type(code);
    if (type == null) {
      return new OnnxTensor(name, null, shape, null);
    }
    ByteBuffer data = raw != null ? raw : type == TensorType.F32 ? floats : null;
    if (data == null && type == TensorType.I64) {
      data = ByteBuffer.allocate(integers.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      data.asLongBuffer().put(integers);
    }
    long size = byteSize(in, name, type, shape);
    if (data == null && size > 0) {
      // Small integers and halves may be spread over int32_data: no weights of encoders are.
      return new OnnxTensor(name, null, shape, null);
    }
    data = Objects.requireNonNullElseGet(data, () -> ByteBuffer.allocate(0));
    if (data.remaining() != size) {
      throw in.corrupt(
          "tensor '" + name + "' needs " + size + " bytes and has " + data.remaining());
    }
    return new OnnxTensor(name, type, shape, data);
  }

  private static long byteSize(ProtoReader in, String name, TensorType type, long[] shape) {
    if (shape.length > MAX_RANK) {
      throw in.corrupt("tensor '" + name + "' has " + shape.length + " dimensions");
    }
    long size = type.bytes();
    for (long dimension : shape) {
      // The sizes of all dimensions but the next fit an int: the product cannot overflow.
      if (dimension < 0 || dimension > Integer.MAX_VALUE || size > Integer.MAX_VALUE) {
        throw in.corrupt("tensor '" + name + "' has an impossible shape");
      }
      size *= dimension;
    }
    return size;
  }

  /** TensorProto.DataType. */
  private static TensorType type(long code) {
    return switch (code < 0 || code > 16 ? 0 : (int) code) {
      case 1 -> TensorType.F32;
      case 2 -> TensorType.U8;
      case 3 -> TensorType.I8;
      case 5 -> TensorType.I16;
      case 6 -> TensorType.I32;
      case 7 -> TensorType.I64;
      case 9 -> TensorType.BOOL;
      case 10 -> TensorType.F16;
      case 11 -> TensorType.F64;
      case 16 -> TensorType.BF16;
      default -> null;
    };
  }

  private EngineException unsupported(String what) {
    return new EngineException(Reason.UNSUPPORTED, source + ": " + what);
  }
}
