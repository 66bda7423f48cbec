package io.attune.engine.data;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.RandomAccess;

/**
 * Examples of text to learn whole, in a file: a corpus need not fit into memory. In memory are only
 * the places where they begin.
 *
 * <p>The file is deleted on closing, and is nobody else's.
 */
public final class TokenFile extends AbstractList<SftExample>
    implements RandomAccess, AutoCloseable {
  private final Path path;
  private final FileChannel channel;

  /** In tokens; the last is the end of the file. */
  private long[] starts = new long[1024];

  private int size;

  private TokenFile(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /** An empty one, in place of a file that may be there. */
  static TokenFile create(Path path) {
    try {
      Files.createDirectories(path.toAbsolutePath().getParent());
      return new TokenFile(
          path,
          FileChannel.open(
              path,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE));
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot write " + path + ": " + e, e);
    }
  }

  /** Appends an example: the first {@code length} of {@code ids}. */
  void add(int[] ids, int length) {
    ByteBuffer bytes = ByteBuffer.allocate(length * Integer.BYTES);
    bytes.asIntBuffer().put(ids, 0, length);
    try {
      long at = starts[size] * Integer.BYTES;
      while (bytes.hasRemaining()) {
        at += channel.write(bytes, at);
      }
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot write " + path + ": " + e, e);
    }
    if (size + 2 > starts.length) {
      starts = Arrays.copyOf(starts, 2 * starts.length);
    }
    starts[size + 1] = starts[size] + length;
    size++;
  }

  @Override
  public SftExample get(int index) {
    int length = Math.toIntExact(starts[index + 1] - starts[index]);
    ByteBuffer bytes = ByteBuffer.allocate(length * Integer.BYTES);
    try {
      long at = starts[index] * Integer.BYTES;
      while (bytes.hasRemaining()) {
        int n = channel.read(bytes, at + bytes.position());
        if (n < 0) {
          throw new EngineException(Reason.CORRUPT, path + " has become shorter");
        }
      }
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e, e);
    }
    int[] ids = new int[length];
    bytes.flip().asIntBuffer().get(ids);
    return SftExample.completion(ids, 0);
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public void close() {
    try {
      channel.close();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot delete " + path + ": " + e, e);
    }
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
