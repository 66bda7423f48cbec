package io.attune.launcher.hub;

import io.attune.launcher.local.LauncherException;
import io.attune.launcher.local.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Fetches the files of one model, each into a {@code .part} file that gets its name when its digest
 * is right.
 */
final class Transfer {
  private static final int BUFFER = 1 << 16;

  /** A connection that brings so much may break as often as it likes. */
  private static final long WORTH_GOING_ON = 1 << 20;

  private final HubClient client;
  private final ModelId model;
  private final String commit;
  private final HubSettings settings;
  private final Progress progress;
  private long expectedBytes;
  private long doneBytes;

  Transfer(
      HubClient client, ModelId model, String commit, HubSettings settings, Progress progress) {
    this.client = client;
    this.model = model;
    this.commit = commit;
    this.settings = settings;
    this.progress = progress;
  }

  /** Bytes of all files, for the progress. */
  void expect(long bytes) {
    expectedBytes = bytes;
  }

  /** A file that is there already. */
  void skip(HubFile file) {
    doneBytes += file.size();
    show(0, file);
  }

  /** The name carries the digest: a part of another revision is never gone on with. */
  static Path part(Path path, HubFile file) {
    return path.resolveSibling("." + path.getFileName() + "." + file.digest() + ".part");
  }

  void fetch(HubFile file, Path path) throws IOException {
    Path part = part(path, file);
    Retries retries = new Retries(settings, progress);
    retries.run(
        () -> {
          append(file, part, retries);
          return part;
        });
    String digest = file.digest(part);
    if (!digest.equals(file.digest())) {
      Files.delete(part);
      throw new LauncherException(
          String.format(
              "%s of %s is not what %s announced: digest %s instead of %s; it was deleted",
              file.path(), model, settings, digest, file.digest()));
    }
    Files.move(part, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    doneBytes += file.size();
  }

  /** Brings the part to its full length, from where it ends. */
  private void append(HubFile file, Path part, Retries retries) throws IOException {
    try (FileChannel channel =
        FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      long offset = channel.size();
      if (offset > file.size()) {
        channel.truncate(0);
        offset = 0;
      }
      if (offset == file.size()) {
        return;
      }
      HubClient.Answer answer = client.download(model, commit, file, offset);
      try (InputStream body = new StallGuard(answer.body(), settings.timeout())) {
        if (!goesOn(answer, offset, file)) {
          channel.truncate(0);
          offset = 0;
        }
        if (answer.status() == 416) {
          throw new TransientException("the server has no byte " + offset + " of " + file.path());
        }
        copy(body, channel.position(offset), file, retries);
      }
    }
  }

  /** Whether the body begins at {@code offset}; else it is the whole file, or nothing. */
  private static boolean goesOn(HubClient.Answer answer, long offset, HubFile file)
      throws IOException {
    if (answer.status() != 206) {
      return false;
    }
    String range = "bytes " + offset + "-" + (file.size() - 1) + "/" + file.size();
    if (!answer.header("Content-Range").equals(range)) {
      throw new LauncherException(
          String.format(
              "asked for %s of %s, the server sends '%s'",
              range, file.path(), answer.header("Content-Range")));
    }
    return true;
  }

  private void copy(InputStream body, FileChannel channel, HubFile file, Retries retries)
      throws IOException {
    byte[] buffer = new byte[BUFFER];
    long start = channel.position();
    long at = start;
    for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
      at += n;
      if (at > file.size()) {
        channel.truncate(0);
        throw new LauncherException(
            file.path() + " of " + model + " goes on after its " + file.size() + " bytes");
      }
      ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      show(at, file);
      if (at - start >= WORTH_GOING_ON) {
        retries.progressed();
      }
    }
    if (at < file.size()) {
      throw new TransientException(
          file.path() + " ended after " + at + " of " + file.size() + " bytes");
    }
  }

  private void show(long ofFile, HubFile file) {
    progress.step(megabytes(doneBytes + ofFile), megabytes(expectedBytes), "MB, " + file.path());
  }

  private static long megabytes(long bytes) {
    return (bytes + 999_999) / 1_000_000;
  }
}
