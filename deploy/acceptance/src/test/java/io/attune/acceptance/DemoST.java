package io.attune.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The main job from end to end, with the bundled model. */
class DemoST {
  private static final Pattern DIFFERENCE =
      Pattern.compile("difference ([+-][0-9.]+) +95% interval \\[([+-][0-9.]+), ([+-][0-9.]+)]");

  @TempDir Path folder;

  @Test
  void ratingsInABetterAdapterOut() throws Exception {
    Path data = folder.resolve("data");
    try (AttuneProcess attune =
        AttuneProcess.start("demo", "--once", "--seed", "2", "--data", data.toString())) {
      String said = attune.awaitEnd(Duration.ofMinutes(12));
      assertThat(attune.process().exitValue()).as(said).isZero();
      Matcher difference = DIFFERENCE.matcher(said);
      assertThat(difference.find()).as(said).isTrue();
      assertThat(Double.parseDouble(difference.group(1))).isGreaterThanOrEqualTo(0.15);
      assertThat(Double.parseDouble(difference.group(2))).isPositive();
      assertThat(said)
          .contains("SIMULATED")
          .contains("became rows of training")
          .contains("kcat -P -b 127.0.0.1")
          .contains("grpcurl -plaintext");
      assertThat(data.resolve("storage/adapters")).isNotEmptyDirectory();
    }
  }
}
