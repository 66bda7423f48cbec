package io.attune.testkit.disk;

import io.attune.testkit.disk.Trouble.Operation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;

/** An open file of a {@link FaultyDisk}. */
final class FaultyChannel extends FileChannel {
  private final FaultyDisk disk;
  private final Path file;
  private final FileChannel real;

  FaultyChannel(FaultyDisk disk, Path file, FileChannel real) {
    this.disk = disk;
    this.file = file;
    this.real = real;
  }

  static IOException full() {
    return new IOException("No space left on device");
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    return write(source, -1);
  }

  @Override
  public int write(ByteBuffer source, long position) throws IOException {
    int wanted = source.remaining();
    int taken = disk.before(Operation.WRITE, wanted);
    if (taken == 0 && wanted > 0) {
      throw full();
    }
    ByteBuffer part = source.slice(source.position(), taken);
    while (part.hasRemaining()) {
      if (position < 0) {
        real.write(part);
      } else {
        real.write(part, position + part.position());
      }
    }
    source.position(source.position() + taken);
    disk.written(file);
    return taken;
  }

  @Override
  public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
    long written = 0;
    for (int i = offset; i < offset + length; i++) {
      int wanted = sources[i].remaining();
      int taken = write(sources[i]);
      written += taken;
      if (taken < wanted) {
        break;
      }
    }
    return written;
  }

  @Override
  public void force(boolean metaData) throws IOException {
    // Noted and not done: no power is lost in earnest, and tests sync a hundred thousand times.
    disk.before(Operation.SYNC, 0);
    disk.synced(file);
  }

  @Override
  public FileChannel truncate(long size) throws IOException {
    disk.before(Operation.WRITE, 0);
    real.truncate(size);
    disk.written(file);
    return this;
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long position, long count)
      throws IOException {
    ByteBuffer piece = ByteBuffer.allocate((int) Math.min(count, 1 << 16));
    int n = source.read(piece);
    return n <= 0 ? 0 : write(piece.flip(), position);
  }

  @Override
  public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
    return real.transferTo(position, count, target);
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    return real.read(target);
  }

  @Override
  public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
    return real.read(targets, offset, length);
  }

  @Override
  public int read(ByteBuffer target, long position) throws IOException {
    return real.read(target, position);
  }

  @Override
  public long position() throws IOException {
    return real.position();
  }

  @Override
  public FileChannel position(long position) throws IOException {
    real.position(position);
    return this;
  }

  @Override
  public long size() throws IOException {
    return real.size();
  }

  @Override
  public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
    if (mode != MapMode.READ_ONLY) {
      throw new UnsupportedOperationException("what is written through memory cannot fail");
    }
    return real.map(mode, position, size);
  }

  @Override
  public FileLock lock(long position, long size, boolean shared) throws IOException {
    return real.lock(position, size, shared);
  }

  @Override
  public FileLock tryLock(long position, long size, boolean shared) throws IOException {
    return real.tryLock(position, size, shared);
  }

  @Override
  protected void implCloseChannel() throws IOException {
    real.close();
  }
}
