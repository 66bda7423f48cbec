package io.attune.platform.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class IdsTest {

  @Test
  void anIdBeginsWithItsTimeAndSaysItsVersion() {
    // The example of RFC 9562, appendix A.6: 2022-02-22 14:22:22 in UTC-5.
    Clock clock = Clock.fixed(Instant.parse("2022-02-22T19:22:22Z"), ZoneOffset.UTC);

    UUID id = new Ids(clock).next();

    assertThat(id.toString()).startsWith("017f22e2-79b0-7");
    assertThat(id.version()).isEqualTo(7);
    assertThat(id.variant()).isEqualTo(2);
  }
}
