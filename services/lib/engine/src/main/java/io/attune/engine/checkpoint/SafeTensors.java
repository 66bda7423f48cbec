package io.attune.engine.checkpoint;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A safetensors file, memory-mapped, of any size.
 *
 * <p>Layout: 8 bytes little-endian header length, that many bytes of JSON, then the tensors. Format
 * and checks: <a href="https://github.com/huggingface/safetensors">safetensors</a>. The file must
 * not be changed while it is mapped.
 */
public final class SafeTensors implements TensorReader {
  /** Bytes of the header length. */
  static final int PREFIX = 8;

  private static final long MAX_SEGMENT = 1L << 30;

  private final FileChannel channel;
  private final String source;
  private final SafeTensorsHeader header;
  private final long dataStart;

  /** The whole file where it fits one mapping; larger files are mapped tensor by tensor. */
  private final ByteBuffer whole;

  private SafeTensors(FileChannel channel, Path path) throws IOException {
    this.channel = channel;
    this.source = path.toString();
    long size = channel.size();
    long length = headerLength(channel, size, source);
    this.dataStart = PREFIX + length;
    channel.position(PREFIX);
    this.header =
        SafeTensorsHeader.parse(Channels.newInputStream(channel), length, size - dataStart, source);
    this.whole = size <= MAX_SEGMENT ? channel.map(MapMode.READ_ONLY, 0, size) : null;
  }

  /** Maps a file; refuses one that is not exactly a safetensors file. */
  public static SafeTensors open(Path path) {
    if (!Files.isRegularFile(path)) {
      throw new EngineException(Reason.IO, "no such file: " + path);
    }
    FileChannel channel = null;
    boolean opened = false;
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ);
      SafeTensors file = new SafeTensors(channel, path);
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

  private static long headerLength(FileChannel channel, long size, String source)
      throws IOException {
    ByteBuffer start = ByteBuffer.allocate(2 * PREFIX).order(ByteOrder.LITTLE_ENDIAN);
    readFully(channel, start, 0);
    long length = start.getLong(0);
    boolean fits = length >= 0 && length <= SafeTensorsHeader.MAX_BYTES && length <= size - PREFIX;
    Optional<ForeignFormat> foreign =
        ForeignFormat.of(Arrays.copyOf(start.array(), (int) Math.min(size, start.capacity())));
    // The start of a zip archive can be a length; a header has its brace there.
    if (foreign.isPresent() && (!fits || isArchive(foreign.get(), start.get(PREFIX)))) {
      throw foreign.get().refuse(source);
    }
    if (size < PREFIX) {
      throw new EngineException(
          Reason.CORRUPT, source + " is not a safetensors file: it has only " + size + " bytes");
    }
    if (length < 0 || length > SafeTensorsHeader.MAX_BYTES) {
      throw new EngineException(
          Reason.CORRUPT,
          source
              + " is not a valid safetensors file: a header of "
              + Long.toUnsignedString(length)
              + " bytes is beyond the limit of "
              + SafeTensorsHeader.MAX_BYTES);
    }
    if (!fits) {
      throw new EngineException(
          Reason.CORRUPT,
          source
              + " is not a valid safetensors file: its header should have "
              + length
              + " bytes, the file has "
              + size);
    }
    return length;
  }

  private static boolean isArchive(ForeignFormat format, byte first) {
    return format == ForeignFormat.TORCH_ARCHIVE && first != '{';
  }

  private static void readFully(FileChannel channel, ByteBuffer into, long position)
      throws IOException {
    while (into.hasRemaining()) {
      int read = channel.read(into, position + into.position());
      if (read < 0) {
        return;
      }
    }
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(header.tensors().keySet());
  }

  @Override
  public TensorInfo info(String name) {
    TensorInfo info = header.tensors().get(name);
    if (info == null) {
      throw new EngineException(Reason.INCOMPATIBLE, source + " has no tensor '" + name + "'");
    }
    return info;
  }

  @Override
  public ByteBuffer data(String name) {
    TensorInfo info = info(name);
    if (info.byteSize() > Integer.MAX_VALUE) {
      throw new EngineException(
          Reason.UNSUPPORTED, source + ": tensor " + info + " exceeds 2 GiB; read its segments");
    }
    return map(info.begin(), info.byteSize());
  }

  @Override
  public List<ByteBuffer> segments(String name) {
    TensorInfo info = info(name);
    List<ByteBuffer> parts = new ArrayList<>();
    for (long at = info.begin(); at < info.end(); at += MAX_SEGMENT) {
      parts.add(map(at, Math.min(MAX_SEGMENT, info.end() - at)));
    }
    return parts;
  }

  @Override
  public void read(String name, long position, ByteBuffer into) {
    TensorInfo info = info(name);
    if (position < 0 || position + into.remaining() > info.byteSize()) {
      throw new IllegalArgumentException("not within " + info + ": " + position);
    }
    long start = dataStart + info.begin() + position - into.position();
    try {
      readFully(channel, into, start);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + source + ": " + e.getMessage(), e);
    }
    if (into.hasRemaining()) {
      throw new EngineException(Reason.CORRUPT, source + " has become shorter while it was read");
    }
  }

  private ByteBuffer map(long offset, long length) {
    if (whole != null) {
      return whole.slice((int) (dataStart + offset), (int) length).order(ByteOrder.LITTLE_ENDIAN);
    }
    try {
      return channel
          .map(MapMode.READ_ONLY, dataStart + offset, length)
          .order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot map " + source + ": " + e.getMessage(), e);
    }
  }

  @Override
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(header.metadata());
  }

  @Override
  public String source() {
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
