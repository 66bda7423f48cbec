package io.attune.engine.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All settings of a run, from parameters under Hugging Face's names; the defaults are those of
 * transformers, trl and peft, except that adapters go on every linear layer.
 *
 * @param adapter {@code adapter_config.json} of a new adapter; null where the model's own weights
 *     are trained
 * @param trained which of them
 * @param objective what only one objective knows
 * @param task what only some tasks know
 * @param compute in what is computed, and what is kept
 * @param maxLength tokens of an example; longer ones are cut
 * @param initWeights whether weights are drawn at random instead of read
 * @param resumeFrom a checkpoint of another run to go on from; null for none
 */
public record TrainingSettings(
    TrainingArguments arguments,
    EvaluationArguments evaluation,
    AlarmSettings alarms,
    DataSettings data,
    @Nullable ObjectNode adapter,
    TrainedWeights trained,
    ObjectiveSettings objective,
    TaskSettings task,
    ComputeSettings compute,
    int maxLength,
    boolean initWeights,
    @Nullable Path resumeFrom,
    int threads) {

  /** Objectives that learn from what the policy writes, whose settings others parse. */
  private static final Set<String> ONLINE = Set.of("ppo", "grpo", "rloo", "reinforce++");

  /**
   * @param objective decides defaults that differ between trl's trainers
   * @param task what the model is trained to give
   * @param savedModules modules that an adapter has to bring whole
   * @param method what is trained; few weights stand a higher learning rate
   */
  public static TrainingSettings parse(
      Parameters in,
      String objective,
      Method method,
      TaskType task,
      List<String> savedModules,
      String baseModel) {
    TrainingArguments arguments = arguments(in, objective, method.trainsFew());
    int maxLength = in.integer("max_length", 1024);
    boolean online = ONLINE.contains(objective);
    return new TrainingSettings(
        arguments,
        EvaluationArguments.parse(in, arguments.saveSteps(), online ? "reward" : "loss"),
        online ? AlarmSettings.parse(in).ofSurrogate(in) : AlarmSettings.parse(in),
        DataSettings.parse(in, objective, task, maxLength),
        AdapterSettings.parse(in, method, savedModules, task.name(), baseModel),
        trained(in, method, savedModules),
        ObjectiveSettings.parse(in, objective, arguments.perDeviceTrainBatchSize()),
        TaskSettings.parse(in, objective, task),
        ComputeSettings.parse(in, method),
        maxLength,
        initWeights(in, method),
        in.text("resume_from_checkpoint").map(Path::of).orElse(null),
        in.integer("threads", 0));
  }

  public TrainingSettings {
    if (maxLength < 2) {
      throw new IllegalArgumentException("'max_length' is " + maxLength + "; at least 2 is needed");
    }
  }

  /**
   * {@code adapter_config.json} of a value model: LoRA as the policy has it, or with PEFT's
   * defaults where it has another kind of adapter, and a head.
   *
   * @param baseModel folder of its base model
   */
  public ObjectNode valueAdapter(String baseModel) {
    boolean lora = adapter != null && adapter.path("peft_type").asText().equals("LORA");
    List<String> head = List.of("score");
    ObjectNode json =
        lora
            ? adapter.deepCopy()
            : AdapterSettings.parse(
                new Parameters(Map.of()), Method.LORA, head, TaskType.TOKEN_CLS.name(), baseModel);
    json.put("base_model_name_or_path", baseModel);
    json.put("task_type", TaskType.TOKEN_CLS.name());
    head.forEach(json.putArray("modules_to_save")::add);
    return json;
  }

  private static TrainedWeights trained(Parameters in, Method method, List<String> fresh) {
    return switch (method) {
      case BITFIT -> new TrainedWeights.Biases(fresh, in.list("modules_to_save", List.of()));
      case FREEZE ->
          new TrainedWeights.Layers(
              in.integer("freeze_trainable_layers", 2),
              in.list("freeze_trainable_modules", List.of(TrainedWeights.Layers.ALL)),
              in.list("freeze_extra_modules", List.of()));
      default -> new TrainedWeights.All();
    };
  }

  private static boolean initWeights(Parameters in, Method method) {
    String value = in.text("init_weights", "pretrained");
    if (method == Method.PREFIX_TUNING && value.equals("zero") || method == Method.BOTTLENECK) {
      return false; // PEFT's and AdapterHub's name for how the adapter starts
    }
    if (!value.equals("pretrained") && !value.equals("random")) {
      throw new IllegalArgumentException(
          "'init_weights' is " + value + "; it is pretrained or random");
    }
    return value.equals("random");
  }

  private static TrainingArguments arguments(Parameters in, String objective, boolean few) {
    double learningRate =
        switch (objective) {
          case "dpo", "orpo", "simpo", "kto", "grpo", "rloo", "reinforce++" -> few ? 1e-5 : 1e-6;
          case "ppo" -> few ? 3e-5 : 3e-6;
          case "reward" -> 1e-4;
          case "classify" -> few ? 1e-4 : 5e-5;
          default -> few ? 1e-4 : 2e-5;
        };
    return new TrainingArguments(
        in.number("learning_rate", learningRate),
        OptimizerParameters.schedule(in),
        in.integer("warmup_steps", 0),
        in.integer("per_device_train_batch_size", 8),
        in.integer("gradient_accumulation_steps", 1),
        Math.max(0, in.integer("max_steps", 0)),
        in.number("num_train_epochs", 3),
        OptimizerParameters.parse(in),
        in.whole("seed", 42),
        in.flag("shuffle", true),
        in.integer("save_steps", 500),
        in.integer("save_total_limit", 2));
  }
}
