package io.attune.engine.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Mutants of every format: each is accepted or refused, within five seconds.
 *
 * <p>{@code -Dfuzz.mutants=N} sets how many a format, {@code -Dfuzz.seed=N} which; the profile
 * {@code fuzz} reads 10,000 within 256 MB of heap.
 */
class MutantsTest {
  private static final int MUTANTS = Integer.getInteger("fuzz.mutants", 300);
  private static final long SEED = Long.getLong("fuzz.seed", 1);
  private static final Path FOLDER = Path.of("target/fuzz");

  @TempDir Path folder;

  static List<Format> formats() {
    return Formats.all();
  }

  @ParameterizedTest
  @MethodSource("formats")
  void acceptsTheSeeds(Format format) throws Exception {
    for (byte[] seed : format.seeds()) {
      assertThatCode(() -> format.read(seed, folder)).doesNotThrowAnyException();
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void acceptsOrRefusesMutants(Format format) throws Exception {
    long start = System.nanoTime();
    Outcomes outcomes = new Fuzzer(format, FOLDER).run(SEED, MUTANTS);

    System.out.printf(
        "%s: %d mutants of seed %d in %.1f s: %s%n",
        format.name(), MUTANTS, SEED, (System.nanoTime() - start) / 1e9, outcomes);
    assertThat(outcomes.total()).isEqualTo(MUTANTS);
    // Neither all refused at the first check nor hardly touched.
    assertThat(outcomes.count("accepted")).isBetween(1, MUTANTS - MUTANTS / 5);
  }

  private static Format broken(Runnable defect) {
    return new Format() {
      @Override
      public String name() {
        return "broken";
      }

      @Override
      public List<byte[]> seeds() {
        return List.of("{\"a\":1}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
      }

      @Override
      public void read(byte[] file, Path into) {
        defect.run();
      }
    };
  }

  @Test
  void savesWhatFailsAndRepeatsIt() throws Exception {
    Fuzzer fuzzer =
        new Fuzzer(
            broken(
                () -> {
                  throw new IllegalStateException("defect");
                }),
            folder);

    assertThatThrownBy(() -> fuzzer.run(7, 5))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("mutant 0 of seed 7")
        .hasMessageContaining("defect");
    assertThat(Files.readAllBytes(folder.resolve("broken/failed-7-0")))
        .isEqualTo(fuzzer.mutant(7, 0));
    assertThat(fuzzer.mutant(7, 1)).isNotEqualTo(fuzzer.mutant(8, 1));
  }
}
