package io.attune.training.worker;

import io.attune.training.v1.LoraSettings;
import io.attune.training.v1.TrainingArguments;
import io.attune.training.v1.TrainingSpec;
import java.util.HashMap;
import java.util.Map;

/**
 * A job's settings under the names that the engine knows; what a job leaves open is its default.
 */
final class EngineParameters {
  /** Steps between checkpoints: what a crash may cost. */
  private static final int SAVE_STEPS = 20;

  private static final int MAX_LENGTH = 1024;
  private static final int RANK = 16;
  private static final double LORA_ALPHA = 32;

  private EngineParameters() {}

  static String objective(TrainingSpec spec) {
    return switch (spec.getObjectiveCase()) {
      case SFT -> "sft";
      case DPO -> "dpo";
      case REWARD -> "reward";
      case OBJECTIVE_NOT_SET -> throw new IllegalArgumentException("the job has no objective");
    };
  }

  static int maxLength(TrainingSpec spec) {
    return spec.getArguments().hasMaxLength() ? spec.getArguments().getMaxLength() : MAX_LENGTH;
  }

  static Map<String, String> of(TrainingSpec spec, int threads) {
    Map<String, String> parameters = new HashMap<>();
    parameters.put("threads", Integer.toString(threads));
    parameters.put("save_steps", Integer.toString(SAVE_STEPS));
    parameters.put("max_length", Integer.toString(maxLength(spec)));
    if (spec.hasDpo() && spec.getDpo().hasBeta()) {
      parameters.put("beta", Double.toString(spec.getDpo().getBeta()));
    }
    addLora(spec.getLora(), parameters);
    addArguments(spec.getArguments(), parameters);
    return parameters;
  }

  private static void addLora(LoraSettings lora, Map<String, String> parameters) {
    parameters.put("r", Integer.toString(lora.hasR() ? lora.getR() : RANK));
    parameters.put(
        "lora_alpha", Double.toString(lora.hasLoraAlpha() ? lora.getLoraAlpha() : LORA_ALPHA));
    if (lora.hasLoraDropout()) {
      parameters.put("lora_dropout", Double.toString(lora.getLoraDropout()));
    }
    if (lora.getTargetModulesCount() > 0) {
      parameters.put("target_modules", String.join(",", lora.getTargetModulesList()));
    }
  }

  private static void addArguments(TrainingArguments a, Map<String, String> parameters) {
    if (a.hasLearningRate()) {
      parameters.put("learning_rate", Double.toString(a.getLearningRate()));
    }
    if (a.hasPerDeviceTrainBatchSize()) {
      parameters.put(
          "per_device_train_batch_size", Integer.toString(a.getPerDeviceTrainBatchSize()));
    }
    if (a.hasGradientAccumulationSteps()) {
      parameters.put(
          "gradient_accumulation_steps", Integer.toString(a.getGradientAccumulationSteps()));
    }
    if (a.hasNumTrainEpochs()) {
      parameters.put("num_train_epochs", Double.toString(a.getNumTrainEpochs()));
    }
    if (a.hasMaxSteps()) {
      parameters.put("max_steps", Integer.toString(a.getMaxSteps()));
    }
    if (a.hasSeed()) {
      parameters.put("seed", Long.toString(a.getSeed()));
    }
  }
}
