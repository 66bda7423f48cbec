package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.checkpoint.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs in bfloat16, and with layers that are computed again. */
class ComputeSettingsRunTest {
  @TempDir Path folder;
  private Path pairs;
  private Path completions;

  @BeforeEach
  void writeRows() throws IOException {
    pairs = Files.write(folder.resolve("pairs.jsonl"), WholeRuns.pairs());
    completions = Files.write(folder.resolve("completions.jsonl"), WholeRuns.completions("chosen"));
  }

  private List<Double> losses(String objective, String method, String out, String settings) {
    return losses("models/llama", objective, method, out, settings);
  }

  private List<Double> losses(
      String model, String objective, String method, String out, String settings) {
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", "2");
    parameters.put("max_steps", "6");
    parameters.put("learning_rate", "5e-3");
    parameters.put("save_steps", "0");
    for (String setting : settings.split(" ")) {
      parameters.put(setting.split("=")[0], setting.split("=")[1]);
    }
    Path rows = objective.equals("sft") ? completions : pairs;
    TrainingSpec spec =
        new TrainingSpec(
            Golden.path(model),
            rows,
            folder.resolve(out),
            objective,
            method,
            null,
            null,
            null,
            parameters);
    List<Double> losses = new ArrayList<>();
    TrainingRun.run(
        spec, (step, total, metrics) -> losses.add(metrics.get("loss")), CancelSignal.NEVER);
    return losses;
  }

  @ParameterizedTest
  @ValueSource(strings = {"sft", "dpo", "reward"})
  void bfloat16LearnsAsFloat32Does(String objective) {
    List<Double> wide = losses(objective, "lora", "wide", "bf16=false");
    List<Double> narrow =
        losses(objective, "lora", "narrow", "bf16=true gradient_checkpointing=true");

    assertThat(narrow.get(5)).isLessThan(narrow.get(0));
    for (int i = 0; i < 6; i++) {
      assertThat(narrow.get(i) / wide.get(i)).as("step %d", i).isBetween(0.95, 1.05);
    }
    try (SafeTensors file = SafeTensors.open(folder.resolve("narrow/adapter_model.safetensors"))) {
      assertThat(file.names()).isNotEmpty();
      file.names().forEach(n -> assertThat(file.info(n).type()).isEqualTo(TensorType.F32));
    }
  }

  @Test
  void checkpointingChangesNoLoss() {
    for (String method : List.of("lora", "full")) {
      List<Double> kept = losses("sft", method, method, "bf16=false");
      List<Double> again = losses("sft", method, method + "2", "gradient_checkpointing=true");
      for (int i = 0; i < 6; i++) {
        assertThat(again.get(i)).as("%s, step %d", method, i).isCloseTo(kept.get(i), within(1e-5));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "full, bf16=true, not for full",
    "dora, bf16=true, not for dora",
    "lora, bf16=true use_dora=true, DoRA",
    "lora, bf16=true init_lora_weights=pissa, pissa",
    "lora, bf16=true modules_to_save=embed_tokens, modules_to_save",
    "full, bf16=true init_weights=random, not for full",
    "lora, bf16=true init_weights=random, init_weights",
    "lora, bf16=true load_in_4bit=true, quantized"
  })
  void whatIsNotImplementedIsRefusedByName(String method, String settings, String says) {
    assertThatThrownBy(() -> losses("sft", method, "refused", settings))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(says);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gradient_checkpointing=true", "bf16=true"})
  void otherKindsOfModelRefuse(String settings) {
    assertThatThrownBy(() -> losses("models/t5", "sft", "lora", "refused", settings))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(settings.split("=")[0])
        .hasMessageContaining("decoder-only");
  }
}
