package io.attune.platform.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.attune.common.v1.Artifact;
import io.attune.platform.error.PlatformException;
import io.attune.testkit.disk.FaultyDisk;
import io.attune.testkit.disk.Trouble;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever happens while something is published, readers see it whole or not at all. */
class PublishingTest {
  private static final long SEED = 20_261_127;
  private static final int POINTS = 200;
  private static final int VERSIONS = 8;

  @TempDir Path folder;

  @Test
  void whereverThePublishersProcessEnds() throws IOException {
    LongStream points = points(undisturbed().operations());
    for (long point : points.toArray()) {
      FaultyDisk disk = disk("end-" + point);
      disk.has(Trouble.end(point));
      Publications before = new Publications(new FolderStore(disk.root()));

      assertThatThrownBy(() -> publishAll(before)).isInstanceOf(Trouble.ProcessEnd.class);

      Path real = real(disk);
      Publications.openAll(real);
      assertAllThere(before, real);
      disk.losePower();
      Publications.openAll(real);
      assertAllThere(before, real);
      // The next process is not kept from its work by what this one left.
      disk.has(Trouble.NONE);
      Publications after = new Publications(new FolderStore(disk.root()));
      publishAll(after);
      assertAllThere(after, real);
      for (Artifact one : after.published()) {
        assertThat(disk.unsynced(entry(one))).as("end at %d", point).isEmpty();
      }
    }
  }

  @Test
  void whenTheDiskIsFull() throws IOException {
    AtomicLong bytes = new AtomicLong();
    FaultyDisk counted = disk("counted");
    counted.has(
        (operation, number, n) -> {
          bytes.addAndGet(n);
          return n;
        });
    publishAll(new Publications(new FolderStore(counted.root())));

    failEverywhere(points(bytes.get()).map(n -> n - 1), Trouble::full, "No space left");
  }

  @Test
  void whenAnOperationFails() throws IOException {
    failEverywhere(
        points(undisturbed().operations()), Trouble::inputOutputError, "Input/output error");
  }

  private void failEverywhere(LongStream points, LongFunction<Trouble> trouble, String why)
      throws IOException {
    int failures = 0;
    for (long point : points.toArray()) {
      FaultyDisk disk = disk("fail-" + point);
      disk.has(trouble.apply(point));
      Publications before = new Publications(new FolderStore(disk.root()));

      Throwable thrown = catchThrowable(() -> publishAll(before));

      // Java makes folders in two attempts, so that not every failure is one in the end.
      if (thrown != null) {
        assertThat(thrown)
            .isInstanceOfAny(IOException.class, UncheckedIOException.class, PlatformException.class)
            .hasStackTraceContaining(why);
        failures++;
      }

      Path real = real(disk);
      Publications.openAll(real);
      assertAllThere(before, real);
      disk.has(Trouble.NONE);
      Publications after = new Publications(new FolderStore(disk.root()));
      publishAll(after);
      assertAllThere(after, real);
    }
    assertThat(failures).isGreaterThan(POINTS * 9 / 10);
  }

  @Test
  void whatIsAcknowledgedOutlastsALossOfPower() throws IOException {
    FaultyDisk disk = disk("power");
    Publications publications = new Publications(new FolderStore(disk.root()));

    for (int version = 0; version < VERSIONS; version++) {
      publications.publish(version);
      for (Artifact one : publications.published()) {
        assertThat(disk.unsynced(entry(one))).isEmpty();
      }
    }
  }

  @Test
  void whatCannotBePublishedGivesItsSpaceBack() throws IOException {
    FaultyDisk disk = disk("space");
    ObjectStore store = new FolderStore(disk.root());
    Path staged = store.stage(Publications.FOLDERS);
    Files.writeString(staged.resolve("a"), "1");
    disk.has(Trouble.full(0));

    assertThatThrownBy(() -> store.publishFolder(Publications.FOLDERS, staged))
        .isInstanceOf(UncheckedIOException.class);

    assertThat(real(disk).resolve("adapters/.staging")).isEmptyDirectory();
  }

  @Test
  void whatDeadProcessesLeftIsDeletedAfterADay() throws IOException {
    ObjectStore store = new FolderStore(folder);
    Path dead = store.stage(Publications.FOLDERS);
    Files.writeString(dead.resolve("a"), "1");
    Path alive = store.stage(Publications.FOLDERS);
    Files.setLastModifiedTime(
        dead, FileTime.from(Instant.now().minus(Duration.ofDays(1).plusMinutes(1))));

    Path next = store.stage(Publications.FOLDERS);

    assertThat(dead).doesNotExist();
    assertThat(alive).exists();
    assertThat(next).exists();
  }

  private FaultyDisk undisturbed() throws IOException {
    FaultyDisk disk = disk("undisturbed");
    publishAll(new Publications(new FolderStore(disk.root())));
    return disk;
  }

  /** Different ones, from 1. */
  private static LongStream points(long last) {
    assertThat(last).isGreaterThan(POINTS);
    return new Random(SEED).longs(1, last + 1).distinct().limit(POINTS);
  }

  private static void publishAll(Publications publications) throws IOException {
    for (int version = 0; version < VERSIONS; version++) {
      publications.publish(version);
    }
  }

  private static void assertAllThere(Publications publications, Path root) {
    ObjectStore reader = new FolderStore(root);
    publications.published().forEach(reader::open);
  }

  /** The folder in the collection that an artifact lies in, or is. */
  private static Path entry(Artifact artifact) {
    Path path = Path.of(URI.create(artifact.getUri()));
    return path.endsWith(Publications.FILE_NAME) ? path.getParent() : path;
  }

  private FaultyDisk disk(String name) throws IOException {
    return new FaultyDisk(Files.createDirectory(folder.resolve(name)));
  }

  private static Path real(FaultyDisk disk) {
    return Path.of(disk.root().toString());
  }
}
