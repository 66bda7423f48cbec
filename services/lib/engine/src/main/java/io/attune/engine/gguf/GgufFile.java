package io.attune.engine.gguf;

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
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file, memory-mapped, of any size. The file must not be changed while it is mapped.
 * Thread-safe.
 */
public final class GgufFile implements AutoCloseable {
  /** No header has a tenth of it, and what is mapped costs nothing before it is read. */
  private static final long MAX_HEADER = 1L << 28;

  private static final long MAX_SEGMENT = 1L << 30;

  private final FileChannel channel;
  private final String source;
  private final GgufHeader header;

  /** As much of the file as fits one mapping; what lies beyond is mapped tensor by tensor. */
  private final ByteBuffer start;

  private GgufFile(FileChannel channel, Path path) throws IOException {
    this.channel = channel;
    this.source = path.toString();
    long size = channel.size();
    this.start = channel.map(MapMode.READ_ONLY, 0, Math.min(size, MAX_SEGMENT));
    ByteBuffer head = start.slice(0, (int) Math.min(size, MAX_HEADER));
    this.header = GgufHeader.parse(new HeaderCursor(head, source), size);
  }

  /** Maps a file and reads its header; refuses one that is not wholly consistent. */
  public static GgufFile open(Path path) {
    if (!Files.isRegularFile(path)) {
      throw new EngineException(Reason.IO, "no such file: " + path);
    }
    FileChannel channel = null;
    boolean opened = false;
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ);
      GgufFile file = new GgufFile(channel, path);
      opened = true;
      return file;
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e.getMessage(), e);
    } finally {
      if (!opened && channel != null) {
        closeQuietly(channel);
      }
    }
  }

  /** Whether a file begins as GGUF files do. */
  public static boolean recognises(Path path) {
    ByteBuffer start = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      while (start.hasRemaining() && channel.read(start) >= 0) {
        continue;
      }
      return !start.hasRemaining() && start.getInt(0) == GgufHeader.MAGIC;
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e.getMessage(), e);
    }
  }

  GgufMetadata metadata() {
    return header.metadata();
  }

  /** By name, in the order of the file. */
  Map<String, GgufTensor> tensors() {
    return Collections.unmodifiableMap(header.tensors());
  }

  /** The bytes of a tensor: consecutive parts of whole blocks, of at most 1 GiB each. */
  List<ByteBuffer> segments(GgufTensor tensor) {
    long most = MAX_SEGMENT - MAX_SEGMENT % tensor.type().blockBytes();
    List<ByteBuffer> parts = new ArrayList<>();
    for (long at = 0; at < tensor.byteSize(); at += most) {
      parts.add(map(tensor.begin() + at, Math.min(most, tensor.byteSize() - at)));
    }
    return parts;
  }

  private ByteBuffer map(long begin, long length) {
    if (begin + length <= start.capacity()) {
      return start.slice((int) begin, (int) length).order(ByteOrder.LITTLE_ENDIAN);
    }
    try {
      return channel.map(MapMode.READ_ONLY, begin, length).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot map " + source + ": " + e.getMessage(), e);
    }
  }

  /**
   * Reads everything that the file holds, as an import does, and keeps nothing: every metadata
   * value and every tensor.
   *
   * @return numbers in all tensors together
   */
  public long readFully() {
    for (String key : metadata().keys()) {
      metadata().touch(key);
    }
    long elements = 0;
    for (GgufTensor tensor : tensors().values()) {
      for (ByteBuffer piece : TensorValues.of(this, tensor, TensorType.F32)) {
        elements += piece.remaining() / Float.BYTES;
      }
    }
    return elements;
  }

  String source() {
    return source;
  }

  @Override
  public void close() {
    closeQuietly(channel);
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // Only read from: nothing can be lost.
    }
  }
}
