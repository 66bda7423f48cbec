package io.attune.engine;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A training run in a process of its own, which says when each step is done. */
final class KilledRun {
  private KilledRun() {}

  /** Arguments: model, pairs, output folder, optimizer steps. */
  public static void main(String[] args) {
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", "2");
    parameters.put("gradient_accumulation_steps", "2");
    parameters.put("max_steps", args[3]);
    parameters.put("learning_rate", "1e-3");
    parameters.put("r", "4");
    parameters.put("lora_dropout", "0.1");
    parameters.put("save_steps", "2");
    parameters.put("threads", "1");
    parameters.put("report_to", "tensorboard");
    Path rows = Path.of(args[1]);
    TrainingSpec spec =
        new TrainingSpec(
            Path.of(args[0]), rows, Path.of(args[2]), "dpo", "lora", null, null, null, parameters);
    TrainingRun.run(
        spec, (step, total, metrics) -> System.out.println("step " + step), CancelSignal.NEVER);
  }
}
