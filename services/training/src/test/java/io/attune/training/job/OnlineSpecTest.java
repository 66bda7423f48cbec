package io.attune.training.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.platform.error.PlatformException;
import io.attune.training.Messages;
import io.attune.training.v1.TrainingSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OnlineSpecTest {

  @Test
  void settingsOfOnlineObjectivesAreTaken() {
    TrainingSpec spec =
        spec(
            "\"ppo\":{\"num_ppo_epochs\":2,\"kl_coef\":0,\"lam\":0.9},"
                + "\"rollouts\":{\"max_completion_length\":32,\"max_staleness\":0}");

    assertThat(SpecRules.isOnline(SpecRules.check(spec))).isTrue();
    assertThat(SpecRules.maxCompletionLength(spec)).isEqualTo(32);
    assertThat(SpecRules.maxStaleness(spec)).isZero();
    assertThat(SpecRules.maxStaleness(spec("\"rloo\":{}"))).isEqualTo(1);
    assertThat(SpecRules.isOnline(spec("\"dpo\":{}"))).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"ppo\":{\"num_ppo_epochs\":0}|spec.ppo.num_ppo_epochs",
        "\"ppo\":{\"num_mini_batches\":-1}|spec.ppo.num_mini_batches",
        "\"ppo\":{\"lam\":1.5}|spec.ppo.lam",
        "\"ppo\":{\"kl_coef\":-1}|spec.ppo.kl_coef",
        "\"grpo\":{\"num_generations\":1}|spec.grpo.num_generations",
        "\"rloo\":{\"num_generations\":0}|spec.rloo.num_generations",
        "\"rloo\":{\"beta\":-0.1}|spec.rloo.beta",
        "\"ppo\":{},\"rollouts\":{\"max_staleness\":-1}|spec.rollouts.max_staleness",
        "\"ppo\":{},\"rollouts\":{\"max_completion_length\":0}|spec.rollouts.max_completion_length",
        "\"grpo\":{},\"lora\":{\"lora_dropout\":0.1}|spec.lora.lora_dropout"
      })
  void valuesOutOfRangeAreNamed(String json, String field) {
    assertThatThrownBy(() -> SpecRules.check(spec(json)))
        .isInstanceOf(PlatformException.class)
        .hasMessageStartingWith("`" + field + "` must be ");
  }

  private static TrainingSpec spec(String json) {
    return Messages.fromJson("{\"line\":\"a\"," + json + "}", TrainingSpec.newBuilder()).build();
  }
}
