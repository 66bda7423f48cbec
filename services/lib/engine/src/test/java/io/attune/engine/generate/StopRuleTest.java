package io.attune.engine.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopRuleTest {

  @Test
  void stopTextOverSeveralPiecesIsNoPartOfTheAnswer() {
    var rule = new StopRule(List.of("\nUser:"));

    assertThat(rule.push("Yes.\n")).isEqualTo("Yes.");
    assertThat(rule.push("Us")).isEmpty();
    assertThat(rule.push("er: and")).isEmpty();

    assertThat(rule.stopped()).isTrue();
    assertThat(rule.finish()).isEmpty();
  }

  @Test
  void whatOnlyBeginsLikeAStopTextIsHandedOut() {
    var rule = new StopRule(List.of("###", "end"));

    assertThat(rule.push("a##")).isEqualTo("a");
    assertThat(rule.push("b")).isEqualTo("##b");
    assertThat(rule.push("en")).isEmpty();
    assertThat(rule.finish()).isEqualTo("en");
    assertThat(rule.stopped()).isFalse();
  }

  @Test
  void earliestOfSeveralStopTextsEnds() {
    var rule = new StopRule(List.of("x", "bc"));

    assertThat(rule.push("abcx")).isEqualTo("a");
    assertThat(rule.stopped()).isTrue();
  }
}
