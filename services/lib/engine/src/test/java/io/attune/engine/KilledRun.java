package io.attune.engine;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A training run in a process of its own, which says when each step is done. */
final class KilledRun {
  private KilledRun() {}

  /** Arguments: model, rows, output folder, optimizer steps; an objective but dpo. */
  public static void main(String[] args) {
    String objective = args.length > 4 ? args[4] : "dpo";
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", "2");
    parameters.put("gradient_accumulation_steps", "2");
    parameters.put("max_steps", args[3]);
    parameters.put("learning_rate", "1e-3");
    parameters.put("r", "4");
    if (objective.equals("dpo")) {
      parameters.put("lora_dropout", "0.1");
    } else {
      parameters.put("max_completion_length", "6");
      parameters.put("normalize_rewards", "running");
      parameters.put("adap_kl_ctrl", "true");
      parameters.put("reward_rule", "completion | length");
      parameters.put("num_ppo_epochs", "2");
    }
    parameters.put("save_steps", "2");
    parameters.put("threads", "1");
    parameters.put("report_to", "tensorboard");
    Path rows = Path.of(args[1]);
    TrainingSpec spec =
        new TrainingSpec(
            Path.of(args[0]),
            rows,
            Path.of(args[2]),
            objective,
            "lora",
            null,
            null,
            null,
            parameters);
    TrainingRun.run(
        spec, (step, total, metrics) -> System.out.println("step " + step), CancelSignal.NEVER);
  }
}
