package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.platform.error.PlatformException;
import io.attune.training.v1.TrainingSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessagesTest {
  private static final String CANARY = "canary7f3a";

  @Test
  void namesAFieldThatIsNotThere() {
    assertThatThrownBy(() -> read("{\"lime\":\"a\"}"))
        .isInstanceOf(PlatformException.class)
        .hasMessage("The JSON is not a TrainingSpec: it has no field `lime`.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"line\":\"a\",\"arguments\":{\"seed\":\"canary7f3a\"}}",
        "{\"line\":\"a\",\"dpo\":\"canary7f3a\"}",
        "{\"line\":\"canary7f3a",
        "canary7f3a",
        "[\"canary7f3a\"]"
      })
  void quotesNoValue(String json) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(PlatformException.class)
        .hasMessageStartingWith("The JSON is not a TrainingSpec: ")
        .satisfies(refused -> assertThat(refused.getMessage()).doesNotContain(CANARY));
  }

  private static TrainingSpec read(String json) {
    return Messages.fromJson(json, TrainingSpec.newBuilder()).build();
  }
}
