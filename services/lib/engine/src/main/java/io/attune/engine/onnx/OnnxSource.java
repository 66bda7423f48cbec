package io.attune.engine.onnx;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.AtomicFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * The files of an exported model: a graph and what lies beside it, or an archive (a jar) that holds
 * both and is unpacked for as long as this is open.
 */
final class OnnxSource implements AutoCloseable {
  /** What a protobuf has at most, and so also more than a tokenizer ever has. */
  private static final long MAX_ENTRY_BYTES = Integer.MAX_VALUE;

  private static final long MAX_ARCHIVE_BYTES = 2 * MAX_ENTRY_BYTES;
  private static final int MAX_ENTRIES = 10_000;
  private static final byte[] ZIP = {'P', 'K', 3, 4};

  private final Path graph;
  private final Path folder;

  /** Deleted in the end; null where nothing was unpacked. */
  private final Path unpacked;

  private OnnxSource(Path graph, Path folder, Path unpacked) {
    this.graph = graph;
    this.folder = folder;
    this.unpacked = unpacked;
  }

  /**
   * @param scratch an existing folder with room for what is unpacked
   */
  static OnnxSource open(Path path, Path scratch) {
    if (!Files.isRegularFile(path)) {
      throw new EngineException(Reason.IO, "no such file: " + path);
    }
    try {
      return isArchive(path) ? unpack(path, scratch) : beside(path);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e, e);
    }
  }

  private static boolean isArchive(Path path) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      byte[] start = in.readNBytes(ZIP.length);
      // No field of an ONNX model begins so; a pickle does, with its protocol's version.
      if (start.length > 1 && start[0] == (byte) 0x80 && start[1] <= 5) {
        throw pickle(path);
      }
      return Arrays.equals(start, ZIP);
    }
  }

  private static EngineException pickle(Path path) {
    return new EngineException(
        Reason.UNSUPPORTED,
        path + " is a PyTorch pickle, which can carry code; convert it to safetensors");
  }

  /** Folders on the hub keep graphs in {@code onnx/}, below the files that belong to them. */
  private static OnnxSource beside(Path path) {
    Path folder = path.toAbsolutePath().getParent();
    boolean below = folder.endsWith("onnx") && Files.exists(folder.resolveSibling("config.json"));
    return new OnnxSource(path, below ? folder.getParent() : folder, null);
  }

  private static OnnxSource unpack(Path archive, Path scratch) throws IOException {
    Path folder = Files.createTempDirectory(scratch, ".import");
    boolean done = false;
    try {
      // Entry by entry: the directory at the end of an archive is read whole, however long it is.
      try (ZipInputStream in = new ZipInputStream(Files.newInputStream(archive))) {
        unpack(in, archive, folder);
      }
      Path graph = folder.resolve("model.onnx");
      if (!Files.exists(graph)) {
        throw new EngineException(Reason.UNSUPPORTED, archive + " holds no .onnx file");
      }
      done = true;
      return new OnnxSource(graph, folder, folder);
    } finally {
      if (!done) {
        AtomicFiles.deleteTree(folder);
      }
    }
  }

  private static void unpack(ZipInputStream in, Path archive, Path folder) throws IOException {
    long left = MAX_ARCHIVE_BYTES;
    int entries = 0;
    for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
      if (++entries > MAX_ENTRIES) {
        throw new EngineException(
            Reason.CORRUPT, archive + " has more than " + MAX_ENTRIES + " entries");
      }
      String name = entry.getName();
      if (name.endsWith("data.pkl")) {
        throw pickle(archive);
      }
      // Names of our own: those in the archive decide nothing about where files go.
      Path target = null;
      if (name.endsWith(".onnx")) {
        target = folder.resolve("model.onnx");
      } else if (name.endsWith("tokenizer.json")) {
        target = folder.resolve("tokenizer.json");
      }
      if (target != null && Files.exists(target)) {
        throw new EngineException(
            Reason.UNSUPPORTED,
            archive + " holds more than one model: '" + name + "' is the second of its kind");
      }
      try (OutputStream out =
          target == null ? OutputStream.nullOutputStream() : Files.newOutputStream(target)) {
        left -= copy(in, out, Math.min(left, MAX_ENTRY_BYTES), archive + ": '" + name + "'");
      }
    }
  }

  /** Returns how many bytes there were; refuses more than the limit. */
  static long copy(InputStream in, OutputStream out, long limit, String where) throws IOException {
    byte[] buffer = new byte[1 << 16];
    long copied = 0;
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      copied += n;
      if (copied > limit) {
        throw new EngineException(Reason.CORRUPT, where + " unpacks to more than is allowed");
      }
      out.write(buffer, 0, n);
    }
    return copied;
  }

  Path graph() {
    return graph;
  }

  /** A file that belongs to the graph, there or not. */
  Path file(String name) {
    return folder.resolve(name);
  }

  @Override
  public void close() {
    if (unpacked != null) {
      AtomicFiles.deleteTree(unpacked);
    }
  }
}
