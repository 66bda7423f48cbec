package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.attune.engine.model.KvCache;
import io.attune.engine.tensor.LiveArrays;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No array outlives what it was made for. */
class LeakTest {
  @TempDir Path folder;

  @Test
  void neitherStepsNorModelsLeaveArraysBehind() throws IOException {
    Path rows = folder.resolve("rows.jsonl");
    Files.writeString(
        rows,
        """
        {"prompt": "My order is late.", "chosen": "I am sorry.", "rejected": "No."}
        {"prompt": "My ticket was lost.", "chosen": "Please send it.", "rejected": "Not our problem."}
        """);
    use(rows, "warm"); // programs are compiled once a process and keep a marker for each method
    int before = LiveArrays.count();
    use(rows, "measured");
    assertThat(LiveArrays.count()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 20}) // the longer ones are written with the adapter folded in
  void neitherDoRollouts(int length) throws IOException {
    Path rows = folder.resolve("prompts.jsonl");
    Files.writeString(
        rows, "{\"prompt\": \"My order is late.\"}\n{\"prompt\": \"It was lost.\"}\n");
    Map<String, String> parameters =
        Map.of(
            "max_steps", "6",
            "num_ppo_epochs", "2",
            "save_steps", "2",
            "per_device_train_batch_size", "5",
            "rollout_slots", "3",
            "max_completion_length", Integer.toString(length),
            "reward_rule", "completion_tokens");
    train(rows, "warm", "ppo", parameters);
    int before = LiveArrays.count();
    train(rows, "measured", "ppo", parameters);
    assertThat(LiveArrays.count()).isEqualTo(before);
  }

  private TrainingSpec train(
      Path rows, String out, String objective, Map<String, String> parameters) {
    TrainingSpec spec =
        new TrainingSpec(
            Golden.path("models/llama"),
            rows,
            folder.resolve(out),
            objective,
            "lora",
            null,
            rows,
            null,
            parameters);
    TrainingRun.run(
        spec,
        (step, total, metrics) -> {
          if (step > 2) {
            assertThat(LiveArrays.count()).isEqualTo(afterFirst);
          }
          afterFirst = LiveArrays.count();
        },
        CancelSignal.NEVER);
    return spec;
  }

  private void use(Path rows, String out) {
    TrainingSpec spec = train(rows, out, "dpo", Map.of("max_steps", "4", "save_steps", "2"));
    try (LanguageModel model = LanguageModel.load(spec.model(), LoadOptions.defaults());
        LoadedAdapter adapter = model.loadAdapter(spec.out());
        KvCache cache = adapter.decoder().newCache(2, 8);
        NDManager scope = Torch.scope("test")) {
      model.logits(List.of(new int[] {5, 6, 7}), adapter, true);
      adapter.decoder().step(scope, cache, new int[] {0}, new int[][] {{5, 6}}, new int[] {0});
    }
  }

  private int afterFirst;
}
