package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.checkpoint.AdapterFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole runs of each kind of adapter, from settings to a file that says what was trained. */
class AdapterTrainingRunTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path rows;
  private Path pairs;

  @BeforeEach
  void writeRows() throws IOException {
    rows = Files.write(folder.resolve("rows.jsonl"), WholeRuns.completions("chosen"));
    pairs = Files.write(folder.resolve("pairs.jsonl"), WholeRuns.pairs());
  }

  private TrainingSpec spec(
      String objective, String method, String out, Path init, Map<String, String> parameters) {
    Map<String, String> all =
        new HashMap<>(
            Map.of(
                "per_device_train_batch_size", "4",
                "max_steps", "12",
                "learning_rate", "0.02",
                "save_steps", "0"));
    all.putAll(parameters);
    Path data = objective.equals("sft") ? rows : pairs;
    return new TrainingSpec(
        Golden.path("models/llama"),
        data,
        folder.resolve(out),
        objective,
        method,
        init,
        data,
        null,
        all);
  }

  /** The settings are separated by semicolons. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lora          | r=4; bias=all; init_lora_weights=gaussian; use_rslora=true",
        "lora          | target_modules=embed_tokens,q_proj; modules_to_save=norm; r=4",
        "lora          | target_modules=.*[.][qv]_proj; exclude_modules=layers.0.self_attn.q_proj",
        "lora          | target_modules=q_proj,up_proj; layers_to_transform=1;"
            + " rank_pattern={\"up_proj\":2}",
        "dora          | r=4; lora_dropout=0.1",
        "ia3           | target_modules=k_proj,v_proj,down_proj; feedforward_modules=down_proj",
        "ia3           | learning_rate=0.05",
        "vera          | r=16; save_projection=false; projection_prng_key=9; learning_rate=0.1",
        "vera          | r=16; vera_dropout=0.1; learning_rate=0.1",
        "bottleneck    | learning_rate=0.01",
        "bottleneck    | adapter_config=houlsby; reduction_factor=4; init_weights=bert; dropout=0.1",
        "bottleneck    | adapter_config=parallel; modules_to_save=norm; learning_rate=0.01",
        "bottleneck    | adapter_config=scaled_par_bn; reduction_factor={\"1\":4,\"default\":8};"
            + " learning_rate=0.01",
        "bottleneck    | scaling=2; non_linearity=gelu; original_ln_before=false; leave_out=0;"
            + " reduction_factor=1; learning_rate=0.01",
        "prompt-tuning | prompt_tuning_init=TEXT; prompt_tuning_init_text=Be kind;"
            + " num_virtual_tokens=6",
        "prompt-tuning | prompt_tuning_init=SAMPLE_VOCAB; learning_rate=0.1",
        "prefix-tuning | num_virtual_tokens=8; learning_rate=0.1",
        "prefix-tuning | prefix_projection=true; encoder_hidden_size=24; init_weights=zero",
        "p-tuning      | num_virtual_tokens=8; encoder_hidden_size=16",
        "p-tuning      | encoder_reparameterization_type=LSTM; encoder_hidden_size=8;"
            + " encoder_dropout=0.1"
      })
  void theWrittenAdapterIsTheOneThatWasTrained(String method, String settings) throws IOException {
    Map<String, String> parameters = parameters(settings);
    TrainingResult trained =
        TrainingRun.run(
            spec("sft", method, "trained", null, parameters),
            ProgressListener.NONE,
            CancelSignal.NEVER);

    // Read again and measured without training on.
    Map<String, String> still = new HashMap<>(parameters);
    still.putAll(Map.of("max_steps", "1", "learning_rate", "0"));
    TrainingResult again =
        TrainingRun.run(
            spec("sft", method, "again", trained.folder(), still),
            ProgressListener.NONE,
            CancelSignal.NEVER);

    double loss = trained.evaluation().get("candidate").get("loss");
    assertThat(again.evaluation().get("candidate").get("loss")).isCloseTo(loss, within(1e-5));
    List<String> lines = Files.readAllLines(trained.folder().resolve("metrics.jsonl"));
    double first = JSON.readTree(lines.get(0)).get("loss").asDouble();
    assertThat(loss).isLessThan(first - 0.05);
    assertThat(AdapterFiles.open(trained.folder()).config().get("task_type").asText())
        .isEqualTo("CAUSAL_LM");
  }

  private static Map<String, String> parameters(String settings) {
    Map<String, String> parameters = new HashMap<>();
    for (String setting : settings.split(";")) {
      String[] parts = setting.strip().split("=", 2);
      parameters.put(parts[0], parts[1]);
    }
    return parameters;
  }

  /** They change nothing before they are trained: policy and reference agree. */
  @ParameterizedTest
  @CsvSource({"dora", "ia3", "vera", "bottleneck"})
  void theFirstLossOfDpoIsLnTwo(String method) throws IOException {
    TrainingSpec spec = spec("dpo", method, "dpo", null, Map.of("max_steps", "2"));
    TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
    String line = Files.readAllLines(spec.out().resolve("metrics.jsonl")).get(0);
    assertThat(JSON.readTree(line).get("loss").asDouble()).isCloseTo(Math.log(2), within(1e-6));
  }

  @ParameterizedTest
  @CsvSource({"prompt-tuning", "prefix-tuning", "dora"})
  void aRewardModelOfAnyKindIsReadWithItsHead(String method) throws IOException {
    TrainingSpec spec = spec("reward", method, "reward", null, Map.of("max_steps", "20"));
    TrainingResult result = TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
    assertThat(result.evaluation().get("candidate").get("accuracy")).isGreaterThan(0.9);
    try (LanguageModel model = LanguageModel.load(spec.model(), LoadOptions.defaults());
        RewardModel reward = RewardModel.load(model, result.folder())) {
      int[] good = model.tokenizer().encode("My refund is late.\nThanks for telling us.</s>", true);
      int[] bad = model.tokenizer().encode("My refund is late.\nNo.</s>", true);
      float[] scores = reward.score(List.of(good, bad));
      assertThat(scores[0]).isEqualTo(reward.score(List.of(good))[0], within(1e-5f));
    }
  }

  @Test
  void anInterruptedRunOfAComputedPromptEndsWithTheSameBytes() throws IOException {
    Map<String, String> parameters =
        Map.of(
            "save_steps", "3", "encoder_reparameterization_type", "LSTM", "encoder_dropout", "0.2");
    TrainingSpec whole = spec("sft", "p-tuning", "whole", null, parameters);
    TrainingRun.run(whole, ProgressListener.NONE, CancelSignal.NEVER);
    TrainingSpec cut = spec("sft", "p-tuning", "cut", null, parameters);
    int[] steps = {0};
    ProgressListener counter = (step, total, metrics) -> steps[0]++;
    assertThatThrownBy(() -> TrainingRun.run(cut, counter, () -> steps[0] == 7))
        .hasMessageContaining("cancelled after step 7");
    TrainingRun.run(cut, ProgressListener.NONE, CancelSignal.NEVER);
    assertThat(cut.out().resolve(AdapterFiles.WEIGHTS))
        .hasSameBinaryContentAs(whole.out().resolve(AdapterFiles.WEIGHTS));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lorra         | r=4                                    | there are lora, qlora, dora, ia3",
        "ia3           | r=4                                    | unknown parameter 'r'",
        "lora          | bias=some                              | 'bias' is \"some\"",
        "lora          | init_lora_weights=eva                  | 'init_lora_weights'",
        "lora          | modules_to_save=heads                  | modules_to_save names 'heads'",
        "lora          | rank_pattern=4                         | 'rank_pattern'",
        "lora          | layers_to_transform=one                | 'layers_to_transform'",
        "ia3           | target_modules=q_proj; feedforward_modules=up_proj | 'up_proj'",
        "bottleneck    | adapter_config=compacter              | 'adapter_config' is compacter;"
            + " implemented are seq_bn",
        "bottleneck    | cross_adapter=true                    | has no cross-attention",
        "bottleneck    | leave_out=one                         | 'leave_out' has 'one'",
        "bottleneck    | scaling=wide                          | 'scaling' is 'wide', not a number",
        "prompt-tuning | num_virtual_tokens=0                   | 'num_virtual_tokens' is 0",
        "prompt-tuning | prompt_tuning_init=TEXT                | 'prompt_tuning_init_text'",
        "p-tuning      | encoder_reparameterization_type=GRU    |"
            + " 'encoder_reparameterization_type'",
        "prefix-tuning | init_weights=one                       | 'init_weights' is one"
      })
  void whatIsWrongIsRefusedByName(String method, String settings, String message) {
    TrainingSpec spec = spec("sft", method, "x", null, parameters(settings));
    assertThatThrownBy(() -> TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(message.strip());
  }
}
