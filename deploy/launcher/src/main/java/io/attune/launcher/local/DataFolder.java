package io.attune.launcher.local;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Where a launcher keeps everything that outlives it. Held by a lock until closed. */
public final class DataFolder implements AutoCloseable {
  private final Path root;
  private final FileChannel channel;

  private DataFolder(Path root, FileChannel channel) {
    this.root = root;
    this.channel = channel;
  }

  /**
   * Makes the folder where it is missing and takes its lock.
   *
   * @throws LauncherException when another launcher holds it
   */
  public static DataFolder open(Path root) {
    try {
      Files.createDirectories(root);
      Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx------"));
      FileChannel channel =
          FileChannel.open(
              root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (!locked(channel)) {
        channel.close();
        throw new LauncherException(
            "another launcher uses "
                + root.toAbsolutePath()
                + ": stop it first, or choose another folder with --data DIR");
      }
      return new DataFolder(root.toAbsolutePath().normalize(), channel);
    } catch (IOException e) {
      throw new LauncherException("the data folder " + root + " cannot be used: " + e, e);
    }
  }

  private static boolean locked(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  /** The folder itself. */
  public Path root() {
    return root;
  }

  /** A folder in it, made where missing. */
  public Path folder(String name) {
    try {
      return Files.createDirectories(root.resolve(name));
    } catch (IOException e) {
      throw new LauncherException("cannot make the folder " + root.resolve(name), e);
    }
  }

  /** Deletes everything in it except the lock. */
  public void clear() {
    try (Stream<Path> files = Files.walk(root)) {
      List<Path> all =
          files
              .filter(f -> !f.equals(root) && !f.equals(root.resolve("lock")))
              .sorted(Comparator.reverseOrder())
              .toList();
      for (Path file : all) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new LauncherException("cannot clear the data folder " + root, e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new LauncherException("cannot release the lock of " + root, e);
    }
  }
}
