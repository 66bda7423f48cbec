package io.attune.training.job;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.training.v1.DpoObjective;
import io.attune.training.v1.KtoObjective;
import io.attune.training.v1.LineKind;
import io.attune.training.v1.LoraSettings;
import io.attune.training.v1.OrpoObjective;
import io.attune.training.v1.PpoObjective;
import io.attune.training.v1.RatingSettings;
import io.attune.training.v1.RewardObjective;
import io.attune.training.v1.RolloutSettings;
import io.attune.training.v1.SimpoObjective;
import io.attune.training.v1.TrainingArguments;
import io.attune.training.v1.TrainingSpec;
import java.util.List;
import java.util.regex.Pattern;

/** What a job may ask for. */
public final class SpecRules {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,62}");
  private static final int MAXIMUM_RANK = 256;
  private static final String ROLLOUTS = ".rollouts";
  private static final int MAXIMUM_COMPLETION = 128;

  /** What serving takes. */
  private static final int MAXIMUM_TEMPERATURE = 5;

  private static final String ONE_OR_MORE = "1 or more";
  private static final String ABOVE_ZERO = "greater than 0";

  /** Those that cost each pair by itself, as rows that do not all count alike need. */
  private static final List<String> DPO_LOSSES =
      List.of(
          "sigmoid",
          "cdpo",
          "hinge",
          "ipo",
          "robust",
          "exo_pair",
          "nca_pair",
          "bco_pair",
          "sppo_hard",
          "apo_zero",
          "apo_down",
          "discopop",
          "sigmoid_norm");

  private static final List<String> SMOOTHED_LOSSES = List.of("cdpo", "robust", "exo_pair");
  private static final List<String> KTO_LOSSES = List.of("kto", "apo_zero_unpaired");

  private static final List<String> POOLINGS = List.of("cls", "mean");

  private SpecRules() {}

  /**
   * Checks a request and fills in the data set.
   *
   * @throws PlatformException INVALID_ARGUMENT, naming the field and its range
   */
  public static TrainingSpec check(TrainingSpec spec) {
    TrainingSpec filled =
        spec.getDataset().isEmpty() ? spec.toBuilder().setDataset("default").build() : spec;
    require(
        NAME.matcher(filled.getLine()).matches(),
        "spec.line",
        "1 to 63 of a-z, 0-9, dot, dash and underscore, the first a letter or digit");
    require(
        filled.getObjectiveCase() != TrainingSpec.ObjectiveCase.OBJECTIVE_NOT_SET,
        "spec.objective",
        "one of sft, dpo, kto, orpo, simpo, reward, ppo, grpo and rloo");
    if (filled.hasSft() && filled.getSft().hasMinimumScore()) {
      unit(filled.getSft().getMinimumScore(), "spec.sft.minimum_score");
    }
    if (filled.hasDpo()) {
      checkDpo(filled.getDpo());
    }
    if (filled.hasKto()) {
      checkKto(filled.getKto());
    }
    if (filled.hasOrpo()) {
      OrpoObjective orpo = filled.getOrpo();
      require(!orpo.hasBeta() || orpo.getBeta() > 0, "spec.orpo.beta", ABOVE_ZERO);
      checkPairs(
          "spec.orpo.",
          orpo.getMinimumMargin(),
          orpo.hasMaximumPairsPerPrompt(),
          orpo.getMaximumPairsPerPrompt());
    }
    if (filled.hasSimpo()) {
      SimpoObjective simpo = filled.getSimpo();
      require(!simpo.hasBeta() || simpo.getBeta() > 0, "spec.simpo.beta", ABOVE_ZERO);
      require(simpo.getSimpoGamma() >= 0, "spec.simpo.simpo_gamma", "0 or more");
      checkPairs(
          "spec.simpo.",
          simpo.getMinimumMargin(),
          simpo.hasMaximumPairsPerPrompt(),
          simpo.getMaximumPairsPerPrompt());
    }
    if (filled.hasReward()) {
      checkReward(filled.getReward());
    }
    if (isOnline(filled)) {
      checkOnline(filled);
    }
    checkRatings(filled.getRatings());
    checkLora(filled.getLora());
    checkArguments(filled.getArguments());
    return filled;
  }

  /** Whether a job learns from what its policy writes itself, in rounds. */
  public static boolean isOnline(TrainingSpec spec) {
    return spec.hasPpo() || spec.hasGrpo() || spec.hasRloo();
  }

  /** The line whose versions write for jobs of a line that learn online. */
  public static String rolloutLine(String line) {
    return line + ROLLOUTS;
  }

  /** Tokens of an answer at most, in a round. */
  public static int maxCompletionLength(TrainingSpec spec) {
    return spec.getRollouts().hasMaxCompletionLength()
        ? spec.getRollouts().getMaxCompletionLength()
        : MAXIMUM_COMPLETION;
  }

  /** How many rounds old the policy may be that wrote an answer. */
  public static int maxStaleness(TrainingSpec spec) {
    return spec.getRollouts().hasMaxStaleness() ? spec.getRollouts().getMaxStaleness() : 1;
  }

  /** Whether each round is scored by the reward model that is released when it begins. */
  public static boolean refreshesReward(TrainingSpec spec) {
    return !spec.getRollouts().hasRefreshReward() || spec.getRollouts().getRefreshReward();
  }

  /** At which the tokens of a round are drawn. */
  public static double temperature(TrainingSpec spec) {
    return spec.getRollouts().hasTemperature() ? spec.getRollouts().getTemperature() : 1;
  }

  private static void checkOnline(TrainingSpec spec) {
    require(
        NAME.matcher(rolloutLine(spec.getLine())).matches(),
        "spec.line",
        "at most %d characters long for this objective".formatted(63 - ROLLOUTS.length()));
    RolloutSettings rollouts = spec.getRollouts();
    require(
        !rollouts.hasMaxCompletionLength() || rollouts.getMaxCompletionLength() > 0,
        "spec.rollouts.max_completion_length",
        ONE_OR_MORE);
    double temperature = temperature(spec);
    require(
        temperature > 0 && temperature <= MAXIMUM_TEMPERATURE,
        "spec.rollouts.temperature",
        "above 0 and at most " + MAXIMUM_TEMPERATURE);
    require(rollouts.getMaxStaleness() >= 0, "spec.rollouts.max_staleness", "0 or more");
    String heldOut = rollouts.getHeldOutRewardLine();
    require(
        heldOut.isEmpty() || NAME.matcher(heldOut).matches(),
        "spec.rollouts.held_out_reward_line",
        "the name of a reward line");
    require(
        !spec.getLora().hasLoraDropout() || spec.getLora().getLoraDropout() == 0,
        "spec.lora.lora_dropout",
        "0 for this objective, whose policy has to be the one that wrote");
    PpoObjective ppo = spec.getPpo();
    String at = "spec.ppo.";
    require(
        !ppo.hasNumPpoEpochs() || ppo.getNumPpoEpochs() > 0, at + "num_ppo_epochs", ONE_OR_MORE);
    require(
        !ppo.hasNumMiniBatches() || ppo.getNumMiniBatches() > 0,
        at + "num_mini_batches",
        ONE_OR_MORE);
    require(
        !ppo.hasNumGenerations() || ppo.getNumGenerations() > 0,
        at + "num_generations",
        ONE_OR_MORE);
    require(ppo.getKlCoef() >= 0, at + "kl_coef", "0 or more");
    unit(ppo.getGamma(), at + "gamma");
    unit(ppo.getLam(), at + "lam");
    checkGroups(
        "spec.grpo.", spec.getGrpo().hasNumGenerations(), spec.getGrpo().getNumGenerations());
    checkGroups(
        "spec.rloo.", spec.getRloo().hasNumGenerations(), spec.getRloo().getNumGenerations());
    require(spec.getGrpo().getBeta() >= 0, "spec.grpo.beta", "0 or more");
    require(spec.getRloo().getBeta() >= 0, "spec.rloo.beta", "0 or more");
  }

  private static void checkGroups(String at, boolean set, int generations) {
    require(!set || generations > 1, at + "num_generations", "2 or more");
  }

  /** What the adapters of a job's line do. */
  public static LineKind kind(TrainingSpec spec) {
    return spec.hasReward() ? LineKind.LINE_KIND_REWARD : LineKind.LINE_KIND_POLICY;
  }

  private static void checkDpo(DpoObjective dpo) {
    require(!dpo.hasBeta() || dpo.getBeta() > 0, "spec.dpo.beta", ABOVE_ZERO);
    checkPairs(
        "spec.dpo.",
        dpo.getMinimumMargin(),
        dpo.hasMaximumPairsPerPrompt(),
        dpo.getMaximumPairsPerPrompt());
    require(
        !dpo.hasLossType() || DPO_LOSSES.contains(dpo.getLossType()),
        "spec.dpo.loss_type",
        "one of " + String.join(", ", DPO_LOSSES));
    double smoothing = dpo.getLabelSmoothing();
    require(
        smoothing >= 0 && smoothing < 0.5,
        "spec.dpo.label_smoothing",
        "at least 0 and less than 0.5");
    require(
        smoothing == 0 || SMOOTHED_LOSSES.contains(dpo.getLossType()),
        "spec.dpo.label_smoothing",
        "0 unless loss_type is one of " + String.join(", ", SMOOTHED_LOSSES));
    require(
        smoothing > 0 || !dpo.getLossType().equals("exo_pair"),
        "spec.dpo.label_smoothing",
        "above 0 for loss_type exo_pair");
  }

  private static void checkKto(KtoObjective kto) {
    String at = "spec.kto.";
    require(!kto.hasBeta() || kto.getBeta() > 0, at + "beta", ABOVE_ZERO);
    require(
        !kto.hasLossType() || KTO_LOSSES.contains(kto.getLossType()),
        at + "loss_type",
        "one of " + String.join(", ", KTO_LOSSES));
    require(
        !kto.hasDesirableWeight() || kto.getDesirableWeight() > 0,
        at + "desirable_weight",
        ABOVE_ZERO);
    require(
        !kto.hasUndesirableWeight() || kto.getUndesirableWeight() > 0,
        at + "undesirable_weight",
        ABOVE_ZERO);
    double margin = kto.getMinimumMargin();
    require(margin >= 0 && margin <= 0.5, at + "minimum_margin", "from 0 to 0.5");
  }

  private static void checkReward(RewardObjective reward) {
    String at = "spec.reward.";
    checkPairs(
        at,
        reward.getMinimumMargin(),
        reward.hasMaximumPairsPerPrompt(),
        reward.getMaximumPairsPerPrompt());
    double factor = reward.getMarginFactor();
    require(factor >= 0 && Double.isFinite(factor), at + "margin_factor", "0 or more");
    require(
        !reward.hasClassifierPooling() || POOLINGS.contains(reward.getClassifierPooling()),
        at + "classifier_pooling",
        "one of " + String.join(", ", POOLINGS));
  }

  /** What all objectives that learn from pairs have; a margin that is not set is 0. */
  private static void checkPairs(String at, double margin, boolean limited, int maximum) {
    unit(margin, at + "minimum_margin");
    require(!limited || maximum > 0, at + "maximum_pairs_per_prompt", "1 or more");
  }

  private static void checkRatings(RatingSettings ratings) {
    String at = "spec.ratings.";
    if (ratings.hasMaxRaterShare()) {
      share(ratings.getMaxRaterShare(), at + "max_rater_share");
    }
    if (ratings.hasMaxRaterSharePerAnswer()) {
      share(ratings.getMaxRaterSharePerAnswer(), at + "max_rater_share_per_answer");
    }
    if (ratings.hasMaxAnonymousShare()) {
      share(ratings.getMaxAnonymousShare(), at + "max_anonymous_share");
    }
    int folds = ratings.hasFolds() ? ratings.getFolds() : 1;
    require(folds >= 1, at + "folds", ONE_OR_MORE);
    require(
        ratings.getFold() >= 0 && ratings.getFold() < folds,
        at + "fold",
        "at least 0 and less than folds (" + folds + ")");
  }

  private static void checkLora(LoraSettings lora) {
    require(
        !lora.hasR() || (lora.getR() > 0 && lora.getR() <= MAXIMUM_RANK),
        "spec.lora.r",
        "from 1 to " + MAXIMUM_RANK);
    require(!lora.hasLoraAlpha() || lora.getLoraAlpha() > 0, "spec.lora.lora_alpha", "above 0");
    require(
        !lora.hasLoraDropout() || (lora.getLoraDropout() >= 0 && lora.getLoraDropout() < 1),
        "spec.lora.lora_dropout",
        "at least 0 and less than 1");
  }

  private static void checkArguments(TrainingArguments a) {
    String at = "spec.arguments.";
    require(
        !a.hasLearningRate() || (a.getLearningRate() > 0 && a.getLearningRate() <= 1),
        at + "learning_rate",
        "above 0 and at most 1");
    require(
        !a.hasPerDeviceTrainBatchSize() || a.getPerDeviceTrainBatchSize() > 0,
        at + "per_device_train_batch_size",
        "1 or more");
    require(
        !a.hasGradientAccumulationSteps() || a.getGradientAccumulationSteps() > 0,
        at + "gradient_accumulation_steps",
        "1 or more");
    require(
        !a.hasNumTrainEpochs() || a.getNumTrainEpochs() > 0, at + "num_train_epochs", "above 0");
    require(!a.hasMaxSteps() || a.getMaxSteps() > 0, at + "max_steps", "1 or more");
    require(!a.hasMaxLength() || a.getMaxLength() > 1, at + "max_length", "2 or more");
    require(a.getWarmupSteps() >= 0, at + "warmup_steps", "0 or more");
    require(
        a.getWeightDecay() >= 0 && Double.isFinite(a.getWeightDecay()),
        at + "weight_decay",
        "0 or more");
  }

  private static void share(double value, String field) {
    require(value > 0 && value <= 1, field, "above 0 and at most 1");
  }

  private static void unit(double value, String field) {
    require(value >= 0 && value <= 1, field, "from 0 to 1");
  }

  private static void require(boolean holds, String field, String range) {
    if (!holds) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT, "`" + field + "` must be " + range + ".");
    }
  }
}
