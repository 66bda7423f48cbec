package io.attune.testkit.disk;

import io.attune.testkit.disk.Trouble.Operation;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A folder of the real file system, on which every change can be made to fail. Use {@link #root};
 * whoever uses the real folder sees what there is, without trouble.
 *
 * <p>It also keeps account of what has been forced to the disk: {@link #losePower} takes away what
 * may be lost then, and {@link #unsynced} tells which names might be. For one thread.
 */
public final class FaultyDisk {
  private final Path real;
  private final FaultyPath root;
  private Trouble trouble = Trouble.NONE;
  private long operations;

  /** Files by their inodes, which stay when names change. */
  private final Set<Object> unsyncedContent = new HashSet<>();

  private final Set<Object> unsyncedNames = new HashSet<>();

  /**
   * @param real a folder that is there
   */
  public FaultyDisk(Path real) {
    this.real = real;
    this.root = new FaultyPath(new FaultyFileSystem(this, real.getFileSystem()), real);
  }

  /** The folder, as the code under test is to see it. */
  public Path root() {
    return root;
  }

  /** From now on. Operations count on. */
  public void has(Trouble next) {
    trouble = next;
  }

  /** Operations so far. */
  public long operations() {
    return operations;
  }

  int before(Operation operation, int bytes) throws IOException {
    return trouble.before(operation, ++operations, bytes);
  }

  void written(Path file) throws IOException {
    unsyncedContent.add(key(file));
  }

  /** A file's content, or a folder's names. */
  void synced(Path path) throws IOException {
    unsyncedContent.remove(key(path));
    unsyncedNames.remove(key(path));
  }

  void namesChanged(Path folder) throws IOException {
    unsyncedNames.add(key(folder));
  }

  /** Its inode may become that of another one. */
  void gone(Path path) throws IOException {
    synced(path);
  }

  private static Object key(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .fileKey();
  }

  /** Takes the content of every file that was not forced to the disk; names stay. */
  public void losePower() throws IOException {
    try (Stream<Path> tree = Files.walk(real)) {
      for (Path file : tree.filter(Files::isRegularFile).toList()) {
        if (unsyncedContent.contains(key(file))) {
          FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)
              .close();
        }
      }
    }
  }

  /**
   * What of a path may be gone after a loss of power: folders on the way to it whose names were not
   * forced to the disk, and files in it whose content was not.
   *
   * @param path of the real file system, below the root
   */
  public List<Path> unsynced(Path path) throws IOException {
    Set<Path> found = new HashSet<>();
    for (Path folder = path.getParent();
        folder != null && folder.startsWith(real);
        folder = folder.getParent()) {
      if (unsyncedNames.contains(key(folder))) {
        found.add(folder);
      }
    }
    try (Stream<Path> tree = Files.walk(path)) {
      for (Path one : tree.toList()) {
        Object key = key(one);
        if (unsyncedContent.contains(key) || unsyncedNames.contains(key)) {
          found.add(one);
        }
      }
    }
    return found.stream().sorted().toList();
  }
}
