package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.WholeRuns.PowerCut;
import io.attune.engine.checkpoint.SafeTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs with each optimizer, and with methods that train some of the weights. */
class OptimizerRunTest {
  @TempDir Path folder;
  private Path rows;

  @BeforeEach
  void writeRows() throws IOException {
    rows = Files.write(folder.resolve("rows.jsonl"), WholeRuns.completions("chosen"));
  }

  private TrainingSpec spec(String model, String method, String out, Map<String, String> more) {
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", "2");
    parameters.put("max_steps", "6");
    parameters.put("learning_rate", "3e-3");
    parameters.put("weight_decay", "0.01");
    parameters.put("save_steps", "2");
    parameters.putAll(more);
    return new TrainingSpec(
        Golden.path("models/" + model),
        rows,
        folder.resolve(out),
        "sft",
        method,
        null,
        null,
        null,
        parameters);
  }

  private static double loss(TrainingSpec spec, int step) throws IOException {
    return WholeRuns.metrics(spec).get(step - 1).get("loss").asDouble();
  }

  /** The interruption falls between two searches for GaLore's subspace. */
  @ParameterizedTest
  @ValueSource(
      strings = {"adamw_torch", "adamw_8bit", "adafactor", "galore_adamw", "galore_adamw_8bit"})
  void aResumedRunEndsWithTheSameBytes(String optim) throws IOException {
    Map<String, String> more = new HashMap<>(Map.of("optim", optim));
    if (optim.startsWith("galore")) {
      more.put("optim_args", "rank=72, update_proj_gap=3, scale=1");
    }
    TrainingSpec whole = spec("llama", "full", "whole", more);
    WholeRuns.run(whole);
    assertThat(loss(whole, 6)).isLessThan(loss(whole, 1));
    TrainingSpec cut = spec("llama", "full", "cut", more);
    PowerCut powerCut = WholeRuns.cutAfter(5, cut);
    TrainingRun.run(cut, powerCut, CancelSignal.NEVER);

    assertThat(powerCut.seen()).containsExactly(1, 2, 3, 4, 5, 5, 6);
    for (String file : List.of("model.safetensors", "checkpoint-6/training_state.safetensors")) {
      assertThat(cut.out().resolve(file))
          .as(file)
          .hasSameBinaryContentAs(whole.out().resolve(file));
    }
  }

  @Test
  void bitFitChangesBiasesAlone() throws IOException {
    TrainingSpec spec =
        spec(
            "gpt2",
            "bitfit",
            "bitfit",
            Map.of("per_device_train_batch_size", "8", "learning_rate", "3e-2"));
    WholeRuns.run(spec);
    assertThat(loss(spec, 6)).isLessThan(loss(spec, 1));
    assertThat(changed(spec)).isNotEmpty().allMatch(name -> name.endsWith(".bias"));
    assertState(spec, changed(spec));
  }

  @Test
  void freezeChangesTheLastLayersAndWhatIsNamed() throws IOException {
    TrainingSpec spec =
        spec(
            "llama",
            "freeze",
            "freeze",
            Map.of("freeze_trainable_layers", "1", "freeze_extra_modules", "norm"));
    WholeRuns.run(spec);
    assertThat(loss(spec, 6)).isLessThan(loss(spec, 1));
    assertThat(changed(spec))
        .hasSize(10)
        .contains("model.norm.weight")
        .allMatch(name -> name.matches("model\\.(layers\\.1|norm)\\..*"));
    assertState(spec, changed(spec));
  }

  /** A checkpoint holds weights and moments of what is trained, and of nothing else. */
  private static void assertState(TrainingSpec spec, Set<String> trained) {
    try (SafeTensors state =
        SafeTensors.open(spec.out().resolve("checkpoint-6/training_state.safetensors"))) {
      assertThat(state.names()).hasSize(3 * trained.size() + 1).containsAll(trained);
    }
  }

  /** Names of weights that the run changed; the folder must be a model that loads. */
  private static Set<String> changed(TrainingSpec spec) {
    Set<String> changed = new TreeSet<>();
    try (SafeTensors before = SafeTensors.open(spec.model().resolve("model.safetensors"));
        SafeTensors after = SafeTensors.open(spec.out().resolve("model.safetensors"));
        LanguageModel model = LanguageModel.load(spec.out(), LoadOptions.defaults())) {
      assertThat(model.logits(List.of(new int[] {5, 6}), null, false)).hasSize(1);
      assertThat(after.names()).containsExactlyInAnyOrderElementsOf(before.names());
      for (String name : before.names()) {
        if (!before.data(name).equals(after.data(name))) {
          changed.add(name);
        }
      }
    }
    return changed;
  }

  @Test
  void aGroupOfRateZeroStaysAsItIs() throws IOException {
    TrainingSpec spec =
        spec(
            "llama",
            "full",
            "groups",
            Map.of(
                "param_groups", "[{\"params\": \"embed_tokens|lm_head|norm\", \"lr\": 0}]",
                "lr_scheduler_type", "warmup_stable_decay",
                "lr_scheduler_kwargs", "{\"num_decay_steps\": 2, \"decay_type\": \"1-sqrt\"}",
                "layerwise_lr_decay", "0.5"));
    WholeRuns.run(spec);
    assertThat(changed(spec)).isNotEmpty().allMatch(name -> name.contains("_proj"));
  }

  @Test
  void whatDoesNotFitTheMethodIsRefused() {
    assertRefused(spec("llama", "bitfit", "x", Map.of()), "has none");
    assertRefused(spec("llama", "lora", "x", Map.of("optim", "galore_adamw")), "galore_adamw");
    assertRefused(spec("llama", "full", "x", Map.of("loraplus_lr_ratio", "16")), "'loraplus_lr_r");
    assertRefused(
        spec("llama", "full", "x", Map.of("freeze_trainable_layers", "1")),
        "'freeze_trainable_layers'");
  }

  private static void assertRefused(TrainingSpec spec, String name) {
    assertThatThrownBy(() -> WholeRuns.run(spec))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(name);
  }
}
