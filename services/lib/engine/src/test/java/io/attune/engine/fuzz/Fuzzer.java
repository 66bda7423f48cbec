package io.attune.engine.fuzz;

import io.attune.engine.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/**
 * Attacks a format with mutants of its seeds. Mutant number i of a seed is always the same, so that
 * a failure can be repeated alone.
 */
final class Fuzzer {
  /** No file may take longer. */
  private static final long LIMIT_MILLIS = 5000;

  private final Format format;
  private final List<byte[]> seeds;
  private final Path folder;

  /**
   * @param folder gets the files that fail, and the one that is being read: what is left there
   *     after a crash of the JVM is what crashed it
   */
  Fuzzer(Format format, Path folder) throws IOException {
    this.format = format;
    this.seeds = format.seeds();
    this.folder = folder.resolve(format.name());
  }

  /** Mutant {@code index} of a run with this seed. */
  byte[] mutant(long seed, int index) {
    Random random = new Random(seed * 1_000_003 + index);
    random.nextLong(); // neighbouring seeds begin alike
    byte[] file = seeds.get(random.nextInt(seeds.size()));
    byte[] other = seeds.get(random.nextInt(seeds.size()));
    // Most edits break a file at once: what goes on to be used needs the mildest.
    return switch (random.nextInt(4)) {
      case 0 -> ByteEdits.edit(file, other, random);
      case 1, 2 -> format.edit(file, random);
      default -> ByteEdits.edit(format.edit(file, random), other, random);
    };
  }

  /** Reads all mutants; the first that neither is accepted nor refused is saved and thrown. */
  Outcomes run(long seed, int count) throws IOException {
    Path work = Files.createDirectories(folder.resolve("current"));
    Outcomes outcomes = new Outcomes();
    try (Watchdog watchdog = new Watchdog(LIMIT_MILLIS)) {
      for (int i = 0; i < count; i++) {
        byte[] mutant = mutant(seed, i);
        long start = System.nanoTime();
        try {
          watchdog.run(() -> format.read(mutant, work));
          outcomes.accepted();
        } catch (EngineException e) {
          outcomes.refused(e);
        } catch (Throwable e) {
          Path saved = folder.resolve("failed-" + seed + "-" + i);
          Files.write(saved, mutant);
          throw new AssertionError(
              "%s: mutant %d of seed %d fails, saved as %s: %s"
                  .formatted(format.name(), i, seed, saved, e),
              e);
        }
        outcomes.took(System.nanoTime() - start);
      }
    }
    return outcomes;
  }
}
