package io.attune.engine.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes safetensors files whose bytes depend on the tensors alone: ordered by type (widest first),
 * then by name, as the reference implementation does.
 */
public final class SafeTensorsWriter {
  /** What transformers and peft expect to find, and refuse to load without. */
  public static final Map<String, String> PYTORCH = Map.of("format", "pt");

  private static final Comparator<TensorData> ORDER =
      Comparator.comparing(TensorData::type)
          .reversed()
          .thenComparing(
              t -> t.name().getBytes(StandardCharsets.UTF_8), SafeTensorsWriter::bytewise);

  private SafeTensorsWriter() {}

  /** Writes the file whole or not at all, replacing one that is there. */
  public static void write(
      Path path, Collection<TensorData> tensors, Map<String, String> metadata) {
    List<TensorData> order = new ArrayList<>(tensors);
    order.sort(ORDER);
    byte[] header = header(order, metadata);
    AtomicFiles.write(
        path,
        channel -> {
          ByteBuffer prefix =
              ByteBuffer.allocate(SafeTensors.PREFIX).order(ByteOrder.LITTLE_ENDIAN);
          writeFully(channel, prefix.putLong(0, header.length));
          writeFully(channel, ByteBuffer.wrap(header));
          for (TensorData tensor : order) {
            writeTensor(channel, tensor);
          }
        });
  }

  private static byte[] header(List<TensorData> order, Map<String, String> metadata) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Set<String> seen = new HashSet<>();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart("__metadata__");
        for (Map.Entry<String, String> entry : new TreeMap<>(metadata).entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      long position = 0;
      for (TensorData tensor : order) {
        if (!seen.add(tensor.name()) || tensor.name().equals("__metadata__")) {
          throw new EngineException(
              Reason.INVALID_ARGUMENT, "tensor name '" + tensor.name() + "' is taken already");
        }
        long size =
            TensorInfo.byteSize("tensor '" + tensor.name() + "'", tensor.type(), tensor.shape());
        json.writeObjectFieldStart(tensor.name());
        json.writeStringField("dtype", tensor.type().name());
        json.writeFieldName("shape");
        json.writeArray(tensor.shape(), 0, tensor.shape().length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {position, position + size}, 0, 2);
        json.writeEndObject();
        position += size;
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new AssertionError("writing to memory cannot fail", e);
    }
    // Padding with spaces keeps the data aligned to 8 bytes, so that it can be used where mapped.
    while (out.size() % 8 != 0) {
      out.write(' ');
    }
    return out.toByteArray();
  }

  private static void writeTensor(FileChannel channel, TensorData tensor) throws IOException {
    long expected =
        TensorInfo.byteSize("tensor '" + tensor.name() + "'", tensor.type(), tensor.shape());
    long written = 0;
    for (ByteBuffer part : tensor.bytes().get()) {
      written += part.remaining();
      writeFully(channel, part);
    }
    if (written != expected) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "tensor '" + tensor.name() + "' has " + written + " bytes instead of " + expected);
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static int bytewise(byte[] a, byte[] b) {
    return java.util.Arrays.compareUnsigned(a, b);
  }
}
