package io.attune.engine.checkpoint;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/** Files of a folder that may come from a stranger: they lie in it, and are read up to a limit. */
public final class ModelFiles {
  private ModelFiles() {}

  /**
   * A plain file of a folder; nothing where the folder has none of that name. Refuses a link that
   * leaves the folder. The one exception is how the Hugging Face cache stores a model: files of
   * {@code snapshots/REVISION} are links to the {@code blobs} beside {@code snapshots}.
   *
   * @param name a file name, without folders
   */
  public static Optional<Path> find(Path folder, String name) {
    Path path;
    try {
      path = folder.resolve(name);
    } catch (InvalidPathException e) {
      throw new EngineException(
          Reason.CORRUPT, folder + ": '" + name + "' is not a name of a file", e);
    }
    if (name.isEmpty() || !path.equals(folder.resolve(path.getFileName())) || name.equals("..")) {
      throw new EngineException(
          Reason.CORRUPT, folder + ": '" + name + "' is not a file beside the others");
    }
    return inside(folder, path);
  }

  /**
   * As {@link #find}, in a folder below.
   *
   * @param name names of folders and of the file, with slashes between
   */
  public static Optional<Path> findBelow(Path folder, String name) {
    Path below;
    try {
      below = folder.getFileSystem().getPath(name);
    } catch (InvalidPathException e) {
      throw new EngineException(
          Reason.CORRUPT, folder + ": '" + name + "' is not a name of a file", e);
    }
    if (below.isAbsolute() || !below.equals(below.normalize()) || below.startsWith("..")) {
      throw new EngineException(
          Reason.CORRUPT, folder + ": '" + name + "' is not a file below that folder");
    }
    return inside(folder, folder.resolve(below));
  }

  private static Optional<Path> inside(Path folder, Path path) {
    if (!Files.isRegularFile(path)) {
      return Optional.empty();
    }
    try {
      Path root = folder.toRealPath();
      Path target = path.toRealPath();
      if (!target.startsWith(root) && !target.startsWith(blobs(root))) {
        throw new EngineException(
            Reason.CORRUPT,
            path + " is a link to a file outside of its folder; put the file itself there");
      }
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e, e);
    }
    return Optional.of(path);
  }

  private static Path blobs(Path root) {
    Path parent = root.getParent();
    boolean cached = parent != null && parent.endsWith("snapshots") && parent.getParent() != null;
    return cached ? parent.resolveSibling("blobs") : root;
  }

  /** A whole file; refuses one of more than {@code maxBytes}. */
  public static byte[] read(Path path, long maxBytes) {
    // A pipe or device would never end.
    if (!Files.isRegularFile(path)) {
      throw new EngineException(Reason.IO, "no such file: " + path);
    }
    try (InputStream in = Files.newInputStream(path)) {
      long size = Files.size(path);
      byte[] bytes = size > maxBytes ? new byte[0] : in.readNBytes((int) maxBytes);
      if (size > maxBytes || in.read() >= 0) {
        throw new EngineException(
            Reason.CORRUPT, path + " has " + size + " bytes; at most " + maxBytes + " are read");
      }
      return bytes;
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e, e);
    }
  }

  /** A whole text file in UTF-8; refuses one of more than {@code maxBytes}. */
  public static String readText(Path path, long maxBytes) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(read(path, maxBytes)))
          .toString();
    } catch (CharacterCodingException e) {
      throw new EngineException(Reason.CORRUPT, path + " is not UTF-8", e);
    }
  }
}
