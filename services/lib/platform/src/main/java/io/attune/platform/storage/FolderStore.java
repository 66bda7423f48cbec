package io.attune.platform.storage;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Object storage in a local folder: {@code <root>/<collection>/<sha256>/}. */
public final class FolderStore implements ObjectStore {

  private static final Pattern COLLECTION = Pattern.compile("[a-z][a-z-]{0,40}");
  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");
  private static final String STAGING = ".staging";

  /** Nobody writes one artifact for so long. */
  private static final Duration ABANDONED = Duration.ofDays(1);

  private final Path root;

  public FolderStore(Path root) {
    this.root = root.toAbsolutePath().normalize();
  }

  @Override
  public Path stage(String collection) {
    try {
      Path staging = folder(collection).resolve(STAGING);
      Files.createDirectories(staging);
      Path staged = Files.createTempDirectory(staging, "");
      deleteAbandoned(staging, Files.getLastModifiedTime(staged).toInstant());
      return staged;
    } catch (IOException failed) {
      throw new UncheckedIOException("cannot write to object storage at " + root, failed);
    }
  }

  @Override
  public Artifact publishFolder(String collection, Path staged) {
    try {
      Manifest manifest = Manifest.of(staged);
      byte[] bytes = manifest.toBytes();
      String digest = Digests.sha256(bytes);
      Path published = publish(collection, staged, bytes, digest);
      return artifact(published, digest, manifest.sizeBytes());
    } catch (IOException failed) {
      discard(staged, failed);
      throw new UncheckedIOException("cannot publish " + staged, failed);
    }
  }

  @Override
  public Artifact publishFile(String collection, Path staged, String fileName) {
    try {
      Manifest manifest = Manifest.of(staged);
      Manifest.Entry file = manifest.files().get(fileName);
      if (file == null || manifest.files().size() != 1) {
        throw new IllegalArgumentException(
            "%s must hold %s and nothing else".formatted(staged, fileName));
      }
      Path published = publish(collection, staged, manifest.toBytes(), file.sha256());
      return artifact(published.resolve(fileName), file.sha256(), file.sizeBytes());
    } catch (IOException failed) {
      discard(staged, failed);
      throw new UncheckedIOException("cannot publish " + staged, failed);
    }
  }

  @Override
  public Path open(Artifact artifact) {
    Path path = inside(artifact);
    try {
      check(path, artifact);
      return path;
    } catch (IOException failed) {
      throw isGone(path)
          ? notFound(artifact)
          : new PlatformException(
              ErrorCode.ERROR_CODE_UNAVAILABLE,
              "The artifact at %s cannot be read now.".formatted(artifact.getUri()),
              failed);
    } catch (PlatformException corrupt) {
      // What is deleted while it is read is not damaged.
      throw isGone(path) ? notFound(artifact) : corrupt;
    }
  }

  private static boolean isGone(Path path) {
    return Files.notExists(path);
  }

  private static void check(Path path, Artifact artifact) throws IOException {
    if (Files.isDirectory(path)) {
      checkFolder(path, artifact);
    } else if (!Files.isRegularFile(path)) {
      throw notFound(artifact);
    } else if (!Digests.sha256(path).equals(artifact.getSha256())) {
      throw corrupt(artifact);
    }
  }

  @Override
  public void delete(Artifact artifact) {
    Path path = inside(artifact);
    Path collection = root.resolve(path.getName(root.getNameCount()));
    Path entry = collection.resolve(path.getName(root.getNameCount() + 1));
    if (!Files.exists(entry)) {
      return;
    }
    try {
      // First out of the way, as a whole: nobody opens a part of it.
      Path away = stage(collection.getFileName().toString());
      Files.move(entry, away, StandardCopyOption.ATOMIC_MOVE);
      sync(collection, StandardOpenOption.READ);
      delete(away);
    } catch (NoSuchFileException gone) {
      // Somebody else deleted it in between.
    } catch (IOException failed) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_UNAVAILABLE,
          "The artifact at %s cannot be deleted now.".formatted(artifact.getUri()),
          failed);
    }
  }

  private static void checkFolder(Path folder, Artifact artifact) throws IOException {
    Path manifestFile = folder.resolve(Manifest.FILE_NAME);
    byte[] bytes = Files.exists(manifestFile) ? Files.readAllBytes(manifestFile) : new byte[0];
    if (!Digests.sha256(bytes).equals(artifact.getSha256())) {
      throw corrupt(artifact);
    }
    Manifest.parse(bytes).check(folder);
  }

  private Path publish(String collection, Path staged, byte[] manifest, String digest)
      throws IOException {
    Path target = folder(collection).resolve(digest);
    if (!Files.isDirectory(target)) {
      Files.write(staged.resolve(Manifest.FILE_NAME), manifest);
      // The order matters: content reaches the disk before the name under which it is found.
      try (Stream<Path> files = Files.list(staged)) {
        for (Path file : files.toList()) {
          sync(file, StandardOpenOption.WRITE);
        }
      }
      sync(staged, StandardOpenOption.READ);
      try {
        Files.move(staged, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (FileAlreadyExistsException | DirectoryNotEmptyException lostRace) {
        // Somebody published the same content in between.
      }
    }
    // Whoever gave it its name, or made its collection, may have died before this.
    sync(target.getParent(), StandardOpenOption.READ);
    sync(root, StandardOpenOption.READ);
    if (Files.exists(staged)) {
      delete(staged);
    }
    return target;
  }

  /**
   * What a process left that died while it wrote, for it would fill the disk.
   *
   * @param now by the clock that gives the folders their times, which may be another machine's
   */
  private static void deleteAbandoned(Path staging, Instant now) throws IOException {
    Instant before = now.minus(ABANDONED);
    try (Stream<Path> folders = Files.list(staging)) {
      for (Path folder : folders.toList()) {
        try {
          if (Files.getLastModifiedTime(folder).toInstant().isBefore(before)) {
            delete(folder);
          }
        } catch (NoSuchFileException gone) {
          // Published, or deleted by somebody else, in between.
        }
      }
    }
  }

  /** Gives its space back: what could not be published often could not for want of it. */
  private static void discard(Path staged, IOException why) {
    try {
      if (Files.exists(staged)) {
        delete(staged);
      }
    } catch (IOException alsoFailed) {
      why.addSuppressed(alsoFailed);
    }
  }

  private Path folder(String collection) {
    if (!COLLECTION.matcher(collection).matches()) {
      throw new IllegalArgumentException("not the name of a collection: " + collection);
    }
    return root.resolve(collection);
  }

  private Path inside(Artifact artifact) {
    Path path = null;
    try {
      path = root.getFileSystem().provider().getPath(URI.create(artifact.getUri())).normalize();
    } catch (IllegalArgumentException notAFile) {
      // Refused below, with the reason.
    }
    boolean ours =
        path != null
            && path.startsWith(root)
            && path.getNameCount() >= root.getNameCount() + 2
            && DIGEST.matcher(path.getName(root.getNameCount() + 1).toString()).matches();
    if (!ours) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "The URI %s is not in this platform's object storage; set attune.storage.root to the folder"
                  .formatted(artifact.getUri())
              + " that all services share.");
    }
    return path;
  }

  private static Artifact artifact(Path path, String digest, long sizeBytes) {
    return Artifact.newBuilder()
        .setUri(path.toUri().toString())
        .setSha256(digest)
        .setSizeBytes(sizeBytes)
        .build();
  }

  private static PlatformException notFound(Artifact artifact) {
    return new PlatformException(
        ErrorCode.ERROR_CODE_NOT_FOUND,
        "There is no artifact at %s. Is attune.storage.root the same for all services?"
            .formatted(artifact.getUri()));
  }

  private static PlatformException corrupt(Artifact artifact) {
    return new PlatformException(
        ErrorCode.ERROR_CODE_CORRUPT,
        "The artifact at %s is not the one with digest %s. Restore it from a backup."
            .formatted(artifact.getUri(), artifact.getSha256()));
  }

  private static void sync(Path path, StandardOpenOption how) throws IOException {
    try (FileChannel channel = FileChannel.open(path, how)) {
      channel.force(true);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
