package io.attune.engine.fuzz;

import static org.junit.jupiter.api.Named.named;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A format under Jazzer, which mutates files towards branches that none has reached yet.
 *
 * <p>Every build reads the seeds and the corpus, {@code FORMATFuzzTestInputs} in the test
 * resources: what an earlier run found worth keeping. The profile {@code fuzz} searches on from
 * there. Jazzer can fuzz once in a JVM, hence a class for each format.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class FuzzTarget {
  private static final Path FOLDER = Path.of("target/fuzz");

  private final Format format;
  private Trial trial;

  FuzzTarget(Format format) {
    this.format = format;
  }

  @BeforeAll
  void open() throws IOException {
    trial = new Trial(format, FOLDER);
  }

  @AfterAll
  void close() {
    trial.close();
  }

  Stream<Arguments> seeds() throws IOException {
    List<byte[]> seeds = format.seeds();
    return IntStream.range(0, seeds.size())
        .mapToObj(i -> arguments(named("seed " + i, seeds.get(i))));
  }

  @MethodSource("seeds")
  @FuzzTest
  void acceptsOrRefuses(byte[] file) throws Throwable {
    trial.read(file);
  }
}
