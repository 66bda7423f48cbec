package io.attune.engine.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.objective.Dpo;
import io.attune.engine.objective.RewardModeling;
import io.attune.engine.optim.AdamW;
import io.attune.engine.optim.LearningRate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All settings of a run, from parameters under Hugging Face's names; the defaults are those of
 * transformers, trl and peft, except that adapters go on every linear layer.
 *
 * @param adapter {@code adapter_config.json} of a new adapter; null where all weights are trained
 * @param maxLength tokens of an example; longer ones are cut
 * @param initWeights whether weights are drawn at random instead of read
 */
public record TrainingSettings(
    TrainingArguments arguments,
    DataSettings data,
    @Nullable ObjectNode adapter,
    Dpo.Config dpo,
    RewardModeling.Config reward,
    int maxLength,
    boolean initWeights,
    int threads) {

  private static final String SCORE = "score";

  /**
   * @param objective decides defaults that differ between trl's trainers
   * @param method what is trained; adapters stand a higher learning rate
   */
  public static TrainingSettings parse(
      Parameters in, String objective, Method method, String baseModel) {
    boolean scores = objective.equals("reward");
    List<String> saved = scores ? List.of(SCORE) : List.of();
    String task = scores ? "SEQ_CLS" : "CAUSAL_LM";
    int maxLength = in.integer("max_length", 1024);
    TrainingSettings settings =
        new TrainingSettings(
            arguments(in, objective, method.isAdapter()),
            DataSettings.parse(in, objective, maxLength),
            AdapterSettings.parse(in, method, saved, task, baseModel),
            new Dpo.Config(in.number("beta", 0.1), in.text("loss_type", "sigmoid")),
            new RewardModeling.Config(in.number("center_rewards_coefficient", 0)),
            maxLength,
            initWeights(in, method),
            in.integer("threads", 0));
    if (in.number("label_smoothing", 0) != 0) {
      throw new IllegalArgumentException("'label_smoothing' is not implemented");
    }
    return settings;
  }

  public TrainingSettings {
    if (maxLength < 2) {
      throw new IllegalArgumentException("'max_length' is " + maxLength + "; at least 2 is needed");
    }
  }

  private static boolean initWeights(Parameters in, Method method) {
    String value = in.text("init_weights", "pretrained");
    if (method == Method.PREFIX_TUNING && value.equals("zero")) {
      return false; // PEFT's name for how the prefix starts
    }
    if (!value.equals("pretrained") && !value.equals("random")) {
      throw new IllegalArgumentException(
          "'init_weights' is " + value + "; it is pretrained or random");
    }
    return value.equals("random");
  }

  private static TrainingArguments arguments(Parameters in, String objective, boolean adapter) {
    double learningRate =
        switch (objective) {
          case "dpo" -> adapter ? 1e-5 : 1e-6;
          case "reward" -> 1e-4;
          default -> adapter ? 1e-4 : 2e-5;
        };
    return new TrainingArguments(
        in.number("learning_rate", learningRate),
        LearningRate.named(in.text("lr_scheduler_type", "linear")),
        in.integer("warmup_steps", 0),
        in.integer("per_device_train_batch_size", 8),
        in.integer("gradient_accumulation_steps", 1),
        Math.max(0, in.integer("max_steps", 0)),
        in.number("num_train_epochs", 3),
        new AdamW.Config(
            in.number("adam_beta1", 0.9),
            in.number("adam_beta2", 0.999),
            in.number("adam_epsilon", 1e-8),
            in.number("weight_decay", 0),
            in.number("max_grad_norm", 1)),
        in.whole("seed", 42),
        in.flag("shuffle", true),
        in.integer("save_steps", 500),
        in.integer("save_total_limit", 2));
  }
}
