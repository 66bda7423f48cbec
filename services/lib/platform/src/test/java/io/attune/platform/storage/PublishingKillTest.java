package io.attune.platform.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As {@link PublishingTest}, with processes that are killed in earnest while another one reads. */
class PublishingKillTest {
  private static final int KILLS = 20;
  private static final int VERSIONS_AT_MOST = 10;

  @TempDir Path root;

  @Test
  void readersSeeOnlyWholeVersions() throws Exception {
    Random random = new Random(1);
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService readers = Executors.newSingleThreadExecutor();
    try {
      Future<Long> reading = readers.submit(() -> readUntil(done));
      int version = 0;
      for (int i = 0; i < KILLS; i++) {
        version = publishAndKill(version, 1 + random.nextInt(VERSIONS_AT_MOST)) + 1;
        assertThat(Publications.openAll(root)).isGreaterThanOrEqualTo(version);
      }
      done.set(true);
      assertThat(reading.get()).isGreaterThan(KILLS);
    } finally {
      done.set(true);
      readers.shutdownNow();
    }
  }

  private long readUntil(AtomicBoolean done) throws IOException {
    long opened = 0;
    while (!done.get()) {
      opened += Publications.openAll(root);
    }
    return opened;
  }

  /** Kills the process somewhere after a version; the last that it has told of. */
  private int publishAndKill(int from, int versions) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                PublishingMain.class.getName(),
                root.toString(),
                Integer.toString(from))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    int last = -1;
    try (BufferedReader said = process.inputReader(StandardCharsets.UTF_8)) {
      for (int i = 0; i < versions; i++) {
        String line = said.readLine();
        assertThat(line).as("what the publisher says").isNotNull();
        last = Integer.parseInt(line);
      }
      // Process.destroyForcibly would close the pipe that holds what was said last.
      process.toHandle().destroyForcibly();
      for (String line = said.readLine(); line != null; line = said.readLine()) {
        last = Integer.parseInt(line);
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    return last;
  }
}
