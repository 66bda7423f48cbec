package io.attune.engine.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Schedules against transformers' {@code get_scheduler}, past the end of the run too. */
class LearningRateTest {
  @Test
  void everyScheduleIsTransformers() throws IOException {
    JsonNode schedules = Golden.json("optim/schedules.json");
    assertThat(schedules).hasSize(13);
    for (JsonNode expected : schedules) {
      Map<String, String> options = new HashMap<>();
      expected
          .get("lr_scheduler_kwargs")
          .fields()
          .forEachRemaining(e -> options.put(e.getKey(), e.getValue().asText()));
      LearningRate schedule =
          LearningRate.named(expected.get("lr_scheduler_type").asText(), options);
      double peak = expected.get("learning_rate").asDouble();
      int warmup = expected.get("warmup_steps").asInt();
      int total = expected.get("max_steps").asInt();
      JsonNode rates = expected.get("rates");
      for (int step = 0; step < rates.size(); step++) {
        assertThat(peak * schedule.factor(peak, step, warmup, total))
            .as("%s %s, step %d", schedule, options, step)
            .isCloseTo(rates.get(step).asDouble(), within(1e-15));
      }
    }
  }

  @Test
  void whatAScheduleHasNotIsRefusedByName() {
    assertRefused("polynomial", Map.of(), "polynomial", "warmup_stable_decay");
    assertRefused("linear", Map.of("min_lr", "1"), "'min_lr'", "none");
    assertRefused("cosine_with_min_lr", Map.of(), "'min_lr'", "'min_lr_rate'");
    assertRefused(
        "cosine_with_min_lr", Map.of("min_lr", "0", "min_lr_rate", "0"), "not both", "min_lr");
    assertRefused("warmup_stable_decay", Map.of(), "'num_decay_steps'", "needs");
    assertRefused(
        "warmup_stable_decay",
        Map.of("num_decay_steps", "2", "decay_type", "square"),
        "square",
        "1-sqrt");
    assertRefused("cosine", Map.of("num_cycles", "-1"), "'num_cycles'", "-1");
  }

  private static void assertRefused(
      String name, Map<String, String> options, String what, String more) {
    assertThatThrownBy(() -> LearningRate.named(name, options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(what)
        .hasMessageContaining(more);
  }
}
