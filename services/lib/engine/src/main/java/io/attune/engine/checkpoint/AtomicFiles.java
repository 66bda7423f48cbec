package io.attune.engine.checkpoint;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** Files and folders that appear whole or not at all: temporary name, fsync, rename. */
public final class AtomicFiles {

  /** Fills a file that nobody else sees yet. */
  @FunctionalInterface
  public interface Content {
    void writeTo(FileChannel channel) throws IOException;
  }

  /** Fills a folder that nobody else sees yet. */
  @FunctionalInterface
  public interface FolderContent {
    void writeTo(Path folder) throws IOException;
  }

  private static final String TEMPORARY = ".tmp";

  private AtomicFiles() {}

  /** Writes a file and its folder, replacing one that is there. */
  public static void write(Path path, Content content) {
    Path target = path.toAbsolutePath();
    Path temporary = temporary(target);
    try {
      createFolders(target.getParent());
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      sync(target.getParent());
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot write " + path + ": " + e, e);
    } finally {
      deleteTree(temporary);
    }
  }

  public static void write(Path path, byte[] bytes) {
    write(
        path,
        channel -> {
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          while (buffer.hasRemaining()) {
            channel.write(buffer);
          }
        });
  }

  /** Writes a folder under a temporary name and renames it; refuses one that exists. */
  public static void writeFolder(Path path, FolderContent content) {
    Path target = path.toAbsolutePath();
    if (Files.exists(target)) {
      throw new EngineException(Reason.INVALID_ARGUMENT, path + " exists already; choose another");
    }
    Path temporary = temporary(target);
    try {
      createFolders(temporary);
      content.writeTo(temporary);
      syncTree(temporary);
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
      sync(target.getParent());
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot write " + path + ": " + e, e);
    } finally {
      deleteTree(temporary);
    }
  }

  /**
   * Deletes what processes that were killed left half-written in a folder. Nobody may be writing
   * there.
   *
   * @param prefix with which the names of what was to be written begin
   */
  public static void deleteLeftovers(Path folder, String prefix) {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> list = Files.list(folder)) {
      list.filter(path -> path.getFileName().toString().startsWith("." + prefix))
          .filter(path -> path.getFileName().toString().endsWith(TEMPORARY))
          .forEach(AtomicFiles::deleteTree);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot list " + folder + ": " + e, e);
    }
  }

  /** Deletes a file or folder; what is not there is no error. */
  public static void deleteTree(Path path) {
    if (!Files.exists(path, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(path)) {
      List<Path> deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot delete " + path + ": " + e, e);
    }
  }

  /** A folder outlasts a loss of power when the folder that names it was synced. */
  private static void createFolders(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      return;
    }
    Path parent = folder.getParent();
    createFolders(parent);
    Files.createDirectories(folder);
    sync(parent);
  }

  private static Path temporary(Path target) {
    return target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + TEMPORARY);
  }

  private static void syncTree(Path folder) throws IOException {
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path path : tree.toList()) {
        sync(path);
      }
    }
  }

  private static void sync(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
