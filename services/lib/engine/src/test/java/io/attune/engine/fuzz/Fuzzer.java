package io.attune.engine.fuzz;

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
  private final Format format;
  private final List<byte[]> seeds;
  private final Path folder;

  /**
   * @param folder gets the files that fail, in {@code FORMAT}, and what {@link Trial} leaves
   */
  Fuzzer(Format format, Path folder) throws IOException {
    this.format = format;
    this.seeds = format.seeds();
    this.folder = folder;
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
    Outcomes outcomes = new Outcomes();
    try (Trial trial = new Trial(format, folder)) {
      for (int i = 0; i < count; i++) {
        byte[] mutant = mutant(seed, i);
        try {
          outcomes.add(trial.read(mutant));
        } catch (Throwable e) {
          Path saved = folder.resolve(format.name()).resolve("failed-" + seed + "-" + i);
          Files.write(saved, mutant);
          throw new AssertionError(
              "%s: mutant %d of seed %d fails, saved as %s: %s"
                  .formatted(format.name(), i, seed, saved, e),
              e);
        }
      }
    }
    return outcomes;
  }
}
