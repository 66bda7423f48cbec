package io.attune.training.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.training.Messages;
import io.attune.training.v1.LineKind;
import io.attune.training.v1.TrainingSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpecRulesTest {
  @Test
  void fillsInTheDataSetAndNothingElse() {
    TrainingSpec spec = spec("{\"line\":\"assistant\",\"dpo\":{}}");

    assertThat(SpecRules.check(spec)).isEqualTo(spec.toBuilder().setDataset("default").build());
  }

  @Test
  void theObjectiveSaysWhatTheLineIs() {
    assertThat(SpecRules.kind(spec("{\"reward\":{}}"))).isEqualTo(LineKind.LINE_KIND_REWARD);
    assertThat(SpecRules.kind(spec("{\"dpo\":{}}"))).isEqualTo(LineKind.LINE_KIND_POLICY);
    assertThat(SpecRules.kind(spec("{\"sft\":{}}"))).isEqualTo(LineKind.LINE_KIND_POLICY);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"dpo\":{}}|spec.line",
        "{\"line\":\"A b\",\"dpo\":{}}|spec.line",
        "{\"line\":\"a\"}|spec.objective",
        "{\"line\":\"a\",\"sft\":{\"minimum_score\":1.1}}|spec.sft.minimum_score",
        "{\"line\":\"a\",\"dpo\":{\"beta\":0}}|spec.dpo.beta",
        "{\"line\":\"a\",\"dpo\":{\"beta\":\"NaN\"}}|spec.dpo.beta",
        "{\"line\":\"a\",\"dpo\":{\"minimum_margin\":-1}}|spec.dpo.minimum_margin",
        "{\"line\":\"a\",\"dpo\":{\"maximum_pairs_per_prompt\":0}}|maximum_pairs_per_prompt",
        "{\"line\":\"a\",\"dpo\":{\"loss_type\":\"aot\"}}|spec.dpo.loss_type",
        "{\"line\":\"a\",\"dpo\":{\"label_smoothing\":0.1}}|spec.dpo.label_smoothing",
        "{\"line\":\"a\",\"dpo\":{\"loss_type\":\"cdpo\",\"label_smoothing\":0.5}}|label_smoothing",
        "{\"line\":\"a\",\"dpo\":{\"loss_type\":\"exo_pair\"}}|spec.dpo.label_smoothing",
        "{\"line\":\"a\",\"kto\":{\"beta\":0}}|spec.kto.beta",
        "{\"line\":\"a\",\"kto\":{\"loss_type\":\"dpo\"}}|spec.kto.loss_type",
        "{\"line\":\"a\",\"kto\":{\"desirable_weight\":0}}|spec.kto.desirable_weight",
        "{\"line\":\"a\",\"kto\":{\"undesirable_weight\":-1}}|spec.kto.undesirable_weight",
        "{\"line\":\"a\",\"kto\":{\"minimum_margin\":0.6}}|spec.kto.minimum_margin",
        "{\"line\":\"a\",\"orpo\":{\"beta\":0}}|spec.orpo.beta",
        "{\"line\":\"a\",\"orpo\":{\"maximum_pairs_per_prompt\":0}}|spec.orpo.maximum_pairs",
        "{\"line\":\"a\",\"simpo\":{\"simpo_gamma\":-1}}|spec.simpo.simpo_gamma",
        "{\"line\":\"a\",\"simpo\":{\"minimum_margin\":-1}}|spec.simpo.minimum_margin",
        "{\"line\":\"a\",\"reward\":{\"minimum_margin\":2}}|spec.reward.minimum_margin",
        "{\"line\":\"a\",\"reward\":{\"maximum_pairs_per_prompt\":0}}|spec.reward.maximum_pairs",
        "{\"line\":\"a\",\"reward\":{\"margin_factor\":-1}}|spec.reward.margin_factor",
        "{\"line\":\"a\",\"dpo\":{},\"ratings\":{\"max_rater_share\":0}}|spec.ratings.max_rater_share",
        "{\"line\":\"a\",\"dpo\":{},\"ratings\":{\"max_rater_share_per_answer\":1.1}}|per_answer",
        "{\"line\":\"a\",\"dpo\":{},\"ratings\":{\"max_anonymous_share\":\"NaN\"}}|max_anonymous_share",
        "{\"line\":\"a\",\"dpo\":{},\"lora\":{\"r\":0}}|spec.lora.r",
        "{\"line\":\"a\",\"dpo\":{},\"lora\":{\"r\":257}}|spec.lora.r",
        "{\"line\":\"a\",\"dpo\":{},\"lora\":{\"lora_dropout\":1}}|spec.lora.lora_dropout",
        "{\"line\":\"a\",\"dpo\":{},\"arguments\":{\"learning_rate\":0}}|learning_rate",
        "{\"line\":\"a\",\"dpo\":{},\"arguments\":{\"max_steps\":0}}|max_steps",
        "{\"line\":\"a\",\"dpo\":{},\"arguments\":{\"max_length\":1}}|max_length",
        "{\"line\":\"a\",\"dpo\":{},\"arguments\":{\"warmup_steps\":-1}}|warmup_steps",
        "{\"line\":\"a\",\"dpo\":{},\"arguments\":{\"weight_decay\":-1}}|weight_decay",
        "{\"line\":\"a\",\"reward\":{\"classifier_pooling\":\"max\"}}|classifier_pooling"
      })
  void namesTheFieldThatIsOutOfRange(String json, String field) {
    assertThatThrownBy(() -> SpecRules.check(spec(json)))
        .isInstanceOfSatisfying(
            PlatformException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.ERROR_CODE_INVALID_ARGUMENT))
        .hasMessageContaining(field);
  }

  private static TrainingSpec spec(String json) {
    return Messages.fromJson(json, TrainingSpec.newBuilder()).build();
  }
}
