package io.attune.training.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.engine.EngineException;
import io.attune.training.Messages;
import io.attune.training.v1.TrainingSpec;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EngineParametersTest {
  @Test
  void whatAJobLeavesOpenIsTheContractsDefault() {
    TrainingSpec spec = spec("{\"dpo\":{}}");

    assertThat(EngineParameters.objective(spec)).isEqualTo("dpo");
    assertThat(EngineParameters.of(spec, 2))
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
            {"dpo":{"beta":0.2},
             "lora":{"r":4,"lora_alpha":8,"lora_dropout":0.1,"target_modules":["q_proj","v_proj"]},
             "arguments":{"learning_rate":0.001,"per_device_train_batch_size":3,
               "gradient_accumulation_steps":5,"num_train_epochs":1.5,"max_steps":7,
               "max_length":99,"seed":11}}
            """);

    assertThat(EngineParameters.of(spec, 1))
        .containsEntry("beta", "0.2")
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
        .containsEntry("seed", "11");
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
