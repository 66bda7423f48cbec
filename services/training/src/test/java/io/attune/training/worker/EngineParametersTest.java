package io.attune.training.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.platform.error.PlatformException;
import io.attune.training.Messages;
import io.attune.training.dataset.KtoWeights;
import io.attune.training.v1.TrainingSpec;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EngineParametersTest {
  private static final KtoWeights BALANCED = new KtoWeights(1, 1);

  @Test
  void whatAJobLeavesOpenIsTheContractsDefault() {
    TrainingSpec spec = spec("{\"dpo\":{}}");

    assertThat(EngineParameters.objective(spec)).isEqualTo("dpo");
    assertThat(EngineParameters.of(spec, 2, BALANCED))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "threads", "2",
                "save_steps", "20",
                "max_length", "1024",
                "r", "16",
                "lora_alpha", "32.0"));
  }

  @Test
  void everySettingOfAJobReachesTheEngine() {
    TrainingSpec spec =
        spec(
            """
            {"dpo":{"beta":0.2,"loss_type":"cdpo","label_smoothing":0.1},
             "lora":{"r":4,"lora_alpha":8,"lora_dropout":0.1,"target_modules":["q_proj","v_proj"]},
             "arguments":{"learning_rate":0.001,"per_device_train_batch_size":3,
               "gradient_accumulation_steps":5,"num_train_epochs":1.5,"max_steps":7,
               "max_length":99,"seed":11,"warmup_steps":6,"weight_decay":0.01}}
            """);

    assertThat(EngineParameters.of(spec, 1, BALANCED))
        .containsEntry("beta", "0.2")
        .containsEntry("loss_type", "cdpo")
        .containsEntry("label_smoothing", "0.1")
        .containsEntry("r", "4")
        .containsEntry("lora_alpha", "8.0")
        .containsEntry("lora_dropout", "0.1")
        .containsEntry("target_modules", "q_proj,v_proj")
        .containsEntry("learning_rate", "0.001")
        .containsEntry("per_device_train_batch_size", "3")
        .containsEntry("gradient_accumulation_steps", "5")
        .containsEntry("num_train_epochs", "1.5")
        .containsEntry("max_steps", "7")
        .containsEntry("max_length", "99")
        .containsEntry("seed", "11")
        .containsEntry("warmup_steps", "6")
        .containsEntry("weight_decay", "0.01");
  }

  @Test
  void anEncoderIsTrainedWithoutSettingsOfAdapters() {
    TrainingSpec spec =
        spec(
            "{\"reward\":{\"classifier_pooling\":\"mean\"},\"lora\":{},\"arguments\":{\"max_length\":9}}");

    assertThat(EngineParameters.ofEncoder(spec, 1))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "threads", "1",
                "save_steps", "100",
                "max_length", "9",
                "classifier_pooling", "mean"));
    assertThatThrownBy(
            () -> EngineParameters.ofEncoder(spec("{\"reward\":{},\"lora\":{\"r\":4}}"), 1))
        .isInstanceOf(PlatformException.class)
        .hasMessageContaining("`spec.lora`");
  }

  @Test
  void objectivesHaveTheirOwnSettings() {
    assertThat(EngineParameters.of(spec("{\"simpo\":{\"beta\":3,\"simpo_gamma\":1}}"), 1, BALANCED))
        .containsEntry("beta", "3.0")
        .containsEntry("simpo_gamma", "1.0");
    assertThat(EngineParameters.of(spec("{\"orpo\":{\"beta\":3}}"), 1, BALANCED))
        .containsEntry("beta", "3.0");
    assertThat(EngineParameters.objective(spec("{\"simpo\":{}}"))).isEqualTo("simpo");
    assertThat(EngineParameters.objective(spec("{\"orpo\":{}}"))).isEqualTo("orpo");
    assertThat(EngineParameters.objective(spec("{\"kto\":{}}"))).isEqualTo("kto");
  }

  @Test
  void roundsAreDrawnAndReadAtOneTemperature() {
    assertThat(EngineParameters.of(spec("{\"ppo\":{\"kl_coef\":0.1}}"), 1, BALANCED))
        .containsEntry("temperature", "1.0")
        .containsEntry("kl_coef", "0.1");
    assertThat(
            EngineParameters.of(
                spec("{\"grpo\":{},\"rollouts\":{\"temperature\":0.7}}"), 1, BALANCED))
        .containsEntry("temperature", "0.7");
  }

  @Test
  void ktoIsBalancedUnlessTheJobSaysHow() {
    KtoWeights balance = new KtoWeights(1, 2.5);

    assertThat(EngineParameters.of(spec("{\"kto\":{\"loss_type\":\"kto\"}}"), 1, balance))
        .containsEntry("loss_type", "kto")
        .containsEntry("desirable_weight", "1.0")
        .containsEntry("undesirable_weight", "2.5");
    assertThat(EngineParameters.of(spec("{\"kto\":{\"desirable_weight\":1.5}}"), 1, balance))
        .containsEntry("desirable_weight", "1.5")
        .containsEntry("undesirable_weight", "1.0");
  }

  @ParameterizedTest
  @EnumSource(EngineException.Reason.class)
  void everyReasonOfTheEngineIsAnErrorCode(EngineException.Reason reason) {
    assertThat(Worker.code(reason).getNumber()).isPositive();
  }

  private static TrainingSpec spec(String json) {
    return Messages.fromJson(json, TrainingSpec.newBuilder()).build();
  }
}
