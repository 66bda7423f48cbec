package io.attune.testkit.disk;

import io.attune.testkit.disk.Trouble.Operation;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;

/** Asks the {@link FaultyDisk} before each change, and tells it after. */
final class FaultyProvider extends FileSystemProvider {
  private final FaultyFileSystem system;
  private final FaultyDisk disk;
  private final FileSystemProvider real;

  FaultyProvider(FaultyFileSystem system, FaultyDisk disk, FileSystemProvider real) {
    this.system = system;
    this.disk = disk;
    this.real = real;
  }

  @Override
  public String getScheme() {
    return "faulty";
  }

  @Override
  public FileSystem newFileSystem(URI uri, Map<String, ?> settings) {
    throw new UnsupportedOperationException("made by FaultyDisk");
  }

  @Override
  public FileSystem getFileSystem(URI uri) {
    throw new UnsupportedOperationException("made by FaultyDisk");
  }

  @Override
  public Path getPath(URI uri) {
    return system.wrap(real.getPath(uri));
  }

  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    return newFileChannel(path, options, attributes);
  }

  @Override
  public FileChannel newFileChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    Path file = FaultyPath.real(path);
    boolean writes =
        options.contains(StandardOpenOption.WRITE) || options.contains(StandardOpenOption.APPEND);
    if (!writes) {
      return new FaultyChannel(disk, file, FileChannel.open(file, options, attributes));
    }
    disk.before(Operation.OPEN_TO_WRITE, 0);
    boolean isNew = !Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    FileChannel channel = FileChannel.open(file, options, attributes);
    if (isNew) {
      disk.namesChanged(file.getParent());
    }
    if (isNew || options.contains(StandardOpenOption.TRUNCATE_EXISTING)) {
      disk.written(file);
    }
    return new FaultyChannel(disk, file, channel);
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path path, DirectoryStream.Filter<? super Path> filter) throws IOException {
    DirectoryStream<Path> entries =
        real.newDirectoryStream(FaultyPath.real(path), entry -> filter.accept(system.wrap(entry)));
    return new DirectoryStream<>() {
      @Override
      public Iterator<Path> iterator() {
        Iterator<Path> all = entries.iterator();
        return new Iterator<>() {
          @Override
          public boolean hasNext() {
            return all.hasNext();
          }

          @Override
          public Path next() {
            return system.wrap(all.next());
          }
        };
      }

      @Override
      public void close() throws IOException {
        entries.close();
      }
    };
  }

  @Override
  public void createDirectory(Path path, FileAttribute<?>... attributes) throws IOException {
    disk.before(Operation.CREATE_FOLDER, 0);
    Path folder = FaultyPath.real(path);
    real.createDirectory(folder, attributes);
    disk.namesChanged(folder.getParent());
  }

  @Override
  public void delete(Path path) throws IOException {
    disk.before(Operation.DELETE, 0);
    Path gone = FaultyPath.real(path);
    if (Files.exists(gone, LinkOption.NOFOLLOW_LINKS)) {
      disk.gone(gone);
    }
    real.delete(gone);
    disk.namesChanged(gone.getParent());
  }

  @Override
  public void copy(Path source, Path target, CopyOption... options) throws IOException {
    int bytes = (int) Files.size(FaultyPath.real(source));
    if (disk.before(Operation.WRITE, bytes) < bytes) {
      throw FaultyChannel.full();
    }
    Path copy = FaultyPath.real(target);
    real.copy(FaultyPath.real(source), copy, options);
    disk.namesChanged(copy.getParent());
    disk.written(copy);
  }

  @Override
  public void move(Path source, Path target, CopyOption... options) throws IOException {
    disk.before(Operation.MOVE, 0);
    Path from = FaultyPath.real(source);
    Path to = FaultyPath.real(target);
    if (Files.isRegularFile(to)) {
      disk.gone(to);
    }
    real.move(from, to, options);
    disk.namesChanged(from.getParent());
    disk.namesChanged(to.getParent());
  }

  @Override
  public boolean isSameFile(Path path, Path other) throws IOException {
    return real.isSameFile(FaultyPath.real(path), FaultyPath.real(other));
  }

  @Override
  public boolean isHidden(Path path) throws IOException {
    return real.isHidden(FaultyPath.real(path));
  }

  @Override
  public FileStore getFileStore(Path path) throws IOException {
    return real.getFileStore(FaultyPath.real(path));
  }

  @Override
  public void checkAccess(Path path, AccessMode... modes) throws IOException {
    real.checkAccess(FaultyPath.real(path), modes);
  }

  @Override
  public <V extends FileAttributeView> V getFileAttributeView(
      Path path, Class<V> type, LinkOption... options) {
    return real.getFileAttributeView(FaultyPath.real(path), type, options);
  }

  @Override
  public <A extends BasicFileAttributes> A readAttributes(
      Path path, Class<A> type, LinkOption... options) throws IOException {
    return real.readAttributes(FaultyPath.real(path), type, options);
  }

  @Override
  public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
      throws IOException {
    return real.readAttributes(FaultyPath.real(path), attributes, options);
  }

  @Override
  public void setAttribute(Path path, String attribute, Object value, LinkOption... options)
      throws IOException {
    real.setAttribute(FaultyPath.real(path), attribute, value, options);
  }
}
