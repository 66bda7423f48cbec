package io.attune.training.trigger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TriggerRuleTest {
  private static final TriggerRule RULE = new TriggerRule(100, Duration.ofHours(1), 10);

  @Test
  void enoughRatingsStartARoundAtOnce() {
    assertThat(RULE.due(99, Duration.ZERO)).isEmpty();
    assertThat(RULE.due(100, Duration.ZERO)).contains("trigger:count");
  }

  @Test
  void enoughTimeStartsARoundOfFewerRatings() {
    assertThat(RULE.due(10, Duration.ofMinutes(59))).isEmpty();
    assertThat(RULE.due(10, Duration.ofHours(1))).contains("trigger:time");
    assertThat(RULE.due(9, Duration.ofDays(9))).isEmpty();
  }

  @Test
  void aRoundOfNothingIsRefused() {
    assertThatThrownBy(() -> new TriggerRule(0, Duration.ofHours(1), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("trigger.ratings");
  }
}
