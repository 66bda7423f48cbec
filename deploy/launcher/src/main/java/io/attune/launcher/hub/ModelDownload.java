package io.attune.launcher.hub;

import io.attune.launcher.local.LauncherException;
import io.attune.launcher.local.Progress;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Downloads a model into a folder that appears whole or not at all. What an interrupted download
 * has is kept beside it, in {@code .NAME.download}, and the next one goes on from there.
 */
public final class ModelDownload {
  /** Left free on the disk for everything else. */
  private static final long RESERVE_BYTES = 256L << 20;

  private static final String LOCK = ".lock";

  private final HubSettings settings;
  private final Progress progress;

  public ModelDownload(HubSettings settings, Progress progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /** Downloads, or finds that {@code out} holds the model already. */
  public void run(ModelId model, Path out) {
    Path target = out.toAbsolutePath().normalize();
    if (target.getFileName() == null) {
      throw new LauncherException(out + " cannot be the model's folder; name another");
    }
    try {
      progress.stage("looking up " + model + " at " + settings);
      HubClient client = new HubClient(settings);
      ModelListing listing = new Retries(settings, progress).run(() -> client.list(model));
      FileChoice choice = FileChoice.of(model, listing.files());
      choice.notes().forEach(progress::note);
      if (Files.exists(target)) {
        requireSame(model, choice, target);
        progress.note(out + " holds " + model + " already: nothing to download");
        return;
      }
      Path staging = target.resolveSibling("." + target.getFileName() + ".download");
      Files.createDirectories(staging);
      try (FileChannel lock = lock(staging)) {
        download(client, model, listing, choice, staging);
        finish(choice, staging, target);
      }
    } catch (TransientException e) {
      throw new LauncherException(
          "gave up on " + model + ": " + e.getMessage() + "; the same command goes on from here",
          e);
    } catch (IOException e) {
      throw new LauncherException("cannot write " + out + ": " + e, e);
    }
  }

  private static void requireSame(ModelId model, FileChoice choice, Path target) {
    for (HubFile file : choice.taken()) {
      if (!file.matches(target.resolve(file.path()))) {
        throw new LauncherException(
            target
                + " exists already and is not "
                + model
                + " ("
                + file.path()
                + " differs); choose another folder");
      }
    }
  }

  private static FileChannel lock(Path staging) throws IOException {
    FileChannel channel =
        FileChannel.open(
            staging.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // Another thread of this process has it.
    }
    if (lock == null) {
      channel.close();
      throw new LauncherException("another download into " + staging + " is running");
    }
    return channel;
  }

  private void download(
      HubClient client, ModelId model, ModelListing listing, FileChoice choice, Path staging)
      throws IOException {
    progress.stage("downloading " + model + ", " + choice.taken().size() + " files");
    Transfer transfer = new Transfer(client, model, listing.commit(), settings, progress);
    checkSpace(choice, staging);
    transfer.expect(choice.bytes());
    for (HubFile file : choice.taken()) {
      Path path = staging.resolve(file.path()).normalize();
      if (!path.startsWith(staging)) {
        throw new LauncherException("'" + file.path() + "' leads out of " + staging);
      }
      Files.createDirectories(path.getParent());
      if (file.matches(path)) {
        transfer.skip(file);
      } else {
        transfer.fetch(file, path);
      }
    }
  }

  private static void checkSpace(FileChoice choice, Path staging) throws IOException {
    long needed = choice.bytes();
    for (HubFile file : choice.taken()) {
      needed -= Math.min(file.size(), sizeOf(staging.resolve(file.path())));
      needed -= Math.min(file.size(), sizeOf(Transfer.part(staging.resolve(file.path()), file)));
    }
    long free = Files.getFileStore(staging).getUsableSpace();
    if (needed > free - RESERVE_BYTES) {
      throw new LauncherException(
          String.format(
              "the disk of %s has %,d MB free, of which %,d are left alone; %,d MB are needed",
              staging.getParent(), free >> 20, RESERVE_BYTES >> 20, needed >> 20));
    }
  }

  private static long sizeOf(Path path) throws IOException {
    return Files.isRegularFile(path) ? Files.size(path) : 0;
  }

  /** Removes what does not belong to the model and gives the folder its name. */
  private void finish(FileChoice choice, Path staging, Path target) throws IOException {
    List<Path> wanted = choice.taken().stream().map(file -> staging.resolve(file.path())).toList();
    try (Stream<Path> tree = Files.walk(staging)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        boolean needed = wanted.stream().anyMatch(file -> file.startsWith(path));
        if (!needed) {
          Files.delete(path);
        }
      }
    }
    try (Stream<Path> tree = Files.walk(staging)) {
      for (Path path : tree.toList()) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
          channel.force(true);
        }
      }
    }
    Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
  }
}
