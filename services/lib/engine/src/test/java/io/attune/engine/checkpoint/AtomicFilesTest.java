package io.attune.engine.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.attune.engine.EngineException;
import io.attune.testkit.disk.FaultyDisk;
import io.attune.testkit.disk.Trouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Adapters and checkpoints are the old ones or the new ones, whatever happens while they change.
 */
class AtomicFilesTest {
  private static final long SEED = 20_261_127;
  private static final int POINTS = 200;
  private static final int VERSIONS = 8;
  private static final int VALUES = 1000;
  private static final String CHECKPOINT = "checkpoint-";

  @TempDir Path folder;

  /** The last version of which the writer knows that it was written. */
  private int written;

  @Test
  void whereverTheProcessEnds() throws IOException {
    FaultyDisk undisturbed = disk("undisturbed");
    writeAll(undisturbed);
    for (long point : points(undisturbed.operations()).toArray()) {
      FaultyDisk disk = disk("end-" + point);
      disk.has(Trouble.end(point));

      assertThatThrownBy(() -> writeAll(disk)).isInstanceOf(Trouble.ProcessEnd.class);

      assertWhole(disk);
      disk.losePower();
      assertWhole(disk);
      disk.has(Trouble.NONE);
      AtomicFiles.deleteLeftovers(disk.root(), "");
      writeAll(disk);
      assertThat(names(disk)).noneMatch(name -> name.endsWith(".tmp"));
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
    writeAll(counted);

    failEverywhere(points(bytes.get()).map(n -> n - 1), Trouble::full, "No space left");
  }

  @Test
  void whenAnOperationFails() throws IOException {
    FaultyDisk undisturbed = disk("undisturbed");
    writeAll(undisturbed);

    failEverywhere(
        points(undisturbed.operations()), Trouble::inputOutputError, "Input/output error");
  }

  private void failEverywhere(LongStream points, LongFunction<Trouble> trouble, String why)
      throws IOException {
    int failures = 0;
    for (long point : points.toArray()) {
      FaultyDisk disk = disk("fail-" + point);
      disk.has(trouble.apply(point));

      Throwable thrown = catchThrowable(() -> writeAll(disk));

      // Java makes folders in two attempts, so that not every failure is one in the end.
      if (thrown != null) {
        assertThat(thrown).isInstanceOf(EngineException.class).hasStackTraceContaining(why);
        assertThat(((EngineException) thrown).reason()).isEqualTo(EngineException.Reason.IO);
        failures++;
      }
      assertWhole(disk);
      disk.has(Trouble.NONE);
      writeAll(disk);
      assertWhole(disk);
    }
    assertThat(failures).isGreaterThan(POINTS * 9 / 10);
  }

  @Test
  void whatIsWrittenOutlastsALossOfPower() throws IOException {
    FaultyDisk disk = disk("power");
    Path out = disk.root().resolve("new/folder");

    AtomicFiles.write(out.resolve("file"), new byte[10]);
    assertThat(disk.unsynced(real(disk).resolve("new/folder/file"))).isEmpty();

    checkpoint(out.resolve("runs"), 1);
    assertThat(disk.unsynced(real(disk).resolve("new/folder/runs/checkpoint-1"))).isEmpty();
  }

  /** Each version replaces the adapter's files and adds a checkpoint. */
  private void writeAll(FaultyDisk disk) {
    written = 0;
    for (int version = 1; version <= VERSIONS; version++) {
      Path root = disk.root();
      AtomicFiles.write(root.resolve(AdapterFiles.CONFIG), config(version));
      SafeTensorsWriter.write(
          root.resolve(AdapterFiles.WEIGHTS), tensors(version), SafeTensorsWriter.PYTORCH);
      AtomicFiles.deleteTree(root.resolve(CHECKPOINT + version));
      checkpoint(root, version);
      written = version;
    }
  }

  private static void checkpoint(Path parent, int version) {
    AtomicFiles.writeFolder(
        parent.resolve(CHECKPOINT + version),
        temporary -> {
          SafeTensorsWriter.write(
              temporary.resolve("state.safetensors"), tensors(version), SafeTensorsWriter.PYTORCH);
          AtomicFiles.write(temporary.resolve("state.json"), config(version));
          Manifest.write(temporary);
        });
  }

  private static byte[] config(int version) {
    return ("{\"version\":" + version + "}").getBytes(UTF_8);
  }

  private static List<TensorData> tensors(int version) {
    float[] values = new float[VALUES];
    java.util.Arrays.fill(values, version);
    return List.of(
        TensorData.of("a", new long[] {VALUES}, values),
        TensorData.of("b", new long[] {VALUES}, values));
  }

  /** Every name that a reader knows leads to one whole version, none older than was written. */
  private void assertWhole(FaultyDisk disk) throws IOException {
    Path real = real(disk);
    Path config = real.resolve(AdapterFiles.CONFIG);
    if (Files.exists(config) || written > 0) {
      assertThat(Files.readString(config))
          .isIn(Stream.iterate(written, v -> v + 1).limit(2).map(v -> text(v)).toList());
    }
    Path weights = real.resolve(AdapterFiles.WEIGHTS);
    if (Files.exists(weights) || written > 0) {
      assertThat(versionOf(weights)).isBetween(written, written + 1);
    }
    for (int version = 1; version <= VERSIONS; version++) {
      Path checkpoint = real.resolve(CHECKPOINT + version);
      if (version <= written || Files.exists(checkpoint)) {
        Manifest.read(checkpoint).verify(checkpoint);
        assertThat(versionOf(checkpoint.resolve("state.safetensors"))).isEqualTo(version);
      }
    }
  }

  private static String text(int version) {
    return new String(config(version), UTF_8);
  }

  /** All values of all tensors are the version's. */
  private static int versionOf(Path weights) {
    try (TensorReader file = SafeTensors.open(weights)) {
      int version = (int) file.data("a").asFloatBuffer().get(0);
      for (String name : List.of("a", "b")) {
        for (int i = 0; i < VALUES; i++) {
          assertThat(file.data(name).asFloatBuffer().get(i)).isEqualTo(version);
        }
      }
      return version;
    }
  }

  /** Different ones, from 1. */
  private static LongStream points(long last) {
    assertThat(last).isGreaterThan(POINTS);
    return new Random(SEED).longs(1, last + 1).distinct().limit(POINTS);
  }

  private FaultyDisk disk(String name) throws IOException {
    return new FaultyDisk(Files.createDirectory(folder.resolve(name)));
  }

  private static List<String> names(FaultyDisk disk) throws IOException {
    try (Stream<Path> entries = Files.list(real(disk))) {
      return entries.map(entry -> entry.getFileName().toString()).toList();
    }
  }

  private static Path real(FaultyDisk disk) {
    return Path.of(disk.root().toString());
  }
}
