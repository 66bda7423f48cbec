package io.attune.training.worker;

import com.google.protobuf.Message;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.training.dataset.KtoWeights;
import io.attune.training.job.SpecRules;
import io.attune.training.v1.DpoObjective;
import io.attune.training.v1.KtoObjective;
import io.attune.training.v1.LoraSettings;
import io.attune.training.v1.RewardObjective;
import io.attune.training.v1.SimpoObjective;
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

  /** Fewer, for a checkpoint holds all weights and the optimizer's state of each. */
  private static final int ENCODER_SAVE_STEPS = 100;

  private static final int MAX_LENGTH = 1024;
  private static final int RANK = 16;
  private static final double LORA_ALPHA = 32;

  private EngineParameters() {}

  static String objective(TrainingSpec spec) {
    return switch (spec.getObjectiveCase()) {
      case SFT -> "sft";
      case DPO -> "dpo";
      case REWARD -> "reward";
      case KTO -> "kto";
      case ORPO -> "orpo";
      case SIMPO -> "simpo";
      case PPO -> "ppo";
      case GRPO -> "grpo";
      case RLOO -> "rloo";
      case OBJECTIVE_NOT_SET -> throw new IllegalArgumentException("the job has no objective");
    };
  }

  static int maxLength(TrainingSpec spec) {
    return spec.getArguments().hasMaxLength() ? spec.getArguments().getMaxLength() : MAX_LENGTH;
  }

  /**
   * @param balance what rows of good and bad answers need, where a job does not say it
   */
  static Map<String, String> of(TrainingSpec spec, int threads, KtoWeights balance) {
    Map<String, String> parameters = new HashMap<>();
    parameters.put("threads", Integer.toString(threads));
    parameters.put("save_steps", Integer.toString(SAVE_STEPS));
    parameters.put("max_length", Integer.toString(maxLength(spec)));
    switch (spec.getObjectiveCase()) {
      case DPO -> addDpo(spec.getDpo(), parameters);
      case KTO -> addKto(spec.getKto(), balance, parameters);
      case ORPO -> {
        if (spec.getOrpo().hasBeta()) {
          parameters.put("beta", Double.toString(spec.getOrpo().getBeta()));
        }
      }
      case REWARD -> addReward(spec.getReward(), parameters);
      case SIMPO -> addSimpo(spec.getSimpo(), parameters);
      case PPO -> addOnline(spec, spec.getPpo(), parameters);
      case GRPO -> addOnline(spec, spec.getGrpo(), parameters);
      case RLOO -> addOnline(spec, spec.getRloo(), parameters);
      default -> {} // nothing of their own
    }
    addLora(spec.getLora(), parameters);
    addArguments(spec.getArguments(), parameters);
    return parameters;
  }

  /**
   * Of a reward job that trains a whole encoder.
   *
   * @throws PlatformException INVALID_ARGUMENT when it has settings of an adapter
   */
  static Map<String, String> ofEncoder(TrainingSpec spec, int threads) {
    if (!spec.getLora().equals(LoraSettings.getDefaultInstance())) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "`spec.lora` must be empty: attune.training.reward-encoder names an encoder, which reward jobs train whole.");
    }
    Map<String, String> parameters = new HashMap<>();
    parameters.put("threads", Integer.toString(threads));
    parameters.put("save_steps", Integer.toString(ENCODER_SAVE_STEPS));
    parameters.put("max_length", Integer.toString(maxLength(spec)));
    addReward(spec.getReward(), parameters);
    addArguments(spec.getArguments(), parameters);
    return parameters;
  }

  private static void addDpo(DpoObjective dpo, Map<String, String> parameters) {
    if (dpo.hasBeta()) {
      parameters.put("beta", Double.toString(dpo.getBeta()));
    }
    if (dpo.hasLossType()) {
      parameters.put("loss_type", dpo.getLossType());
    }
    if (dpo.hasLabelSmoothing()) {
      parameters.put("label_smoothing", Double.toString(dpo.getLabelSmoothing()));
    }
  }

  private static void addKto(KtoObjective kto, KtoWeights balance, Map<String, String> parameters) {
    if (kto.hasBeta()) {
      parameters.put("beta", Double.toString(kto.getBeta()));
    }
    if (kto.hasLossType()) {
      parameters.put("loss_type", kto.getLossType());
    }
    // Balanced only as a whole: beside a weight that somebody chose the other one is 1.
    boolean chosen = kto.hasDesirableWeight() || kto.hasUndesirableWeight();
    double desirable =
        kto.hasDesirableWeight() ? kto.getDesirableWeight() : chosen ? 1 : balance.desirable();
    double undesirable =
        kto.hasUndesirableWeight()
            ? kto.getUndesirableWeight()
            : chosen ? 1 : balance.undesirable();
    parameters.put("desirable_weight", Double.toString(desirable));
    parameters.put("undesirable_weight", Double.toString(undesirable));
  }

  private static void addReward(RewardObjective reward, Map<String, String> parameters) {
    if (reward.hasClassifierPooling()) {
      parameters.put("classifier_pooling", reward.getClassifierPooling());
    }
  }

  private static void addSimpo(SimpoObjective simpo, Map<String, String> parameters) {
    if (simpo.hasBeta()) {
      parameters.put("beta", Double.toString(simpo.getBeta()));
    }
    if (simpo.hasSimpoGamma()) {
      parameters.put("simpo_gamma", Double.toString(simpo.getSimpoGamma()));
    }
  }

  /** The fields of these objectives have the engine's names. */
  private static void addOnline(
      TrainingSpec spec, Message objective, Map<String, String> parameters) {
    objective
        .getAllFields()
        .forEach((field, value) -> parameters.put(field.getName(), value.toString()));
    parameters.put("temperature", Double.toString(SpecRules.temperature(spec)));
    parameters.put("max_completion_length", Integer.toString(SpecRules.maxCompletionLength(spec)));
    // Checkpoints are written between rounds: a worker that is lost costs one round at most.
    parameters.put("save_steps", "1");
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
    if (a.hasWarmupSteps()) {
      parameters.put("warmup_steps", Integer.toString(a.getWarmupSteps()));
    }
    if (a.hasWeightDecay()) {
      parameters.put("weight_decay", Double.toString(a.getWeightDecay()));
    }
  }
}
