package io.attune.engine.online;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.rollout.Advantages.ScaleRewards;
import io.attune.engine.rollout.ImportanceSamplingLevel;
import io.attune.engine.rollout.KlController;
import io.attune.engine.rollout.KlEstimator;
import io.attune.engine.rollout.LossType;
import io.attune.engine.rollout.PolicyGradient;
import io.attune.engine.rollout.RewardNormalizer;
import io.attune.engine.rollout.TokenRewards;
import io.attune.engine.rollout.ValueRegression;
import io.attune.engine.train.Parameters;
import io.attune.engine.train.TrainingArguments;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Settings of learning online, from parameters under the names and with the defaults of trl's
 * PPOConfig, GRPOConfig and RLOOConfig.
 *
 * @param controller of what divergence costs in the reward; coefficient 0 where it costs nothing
 *     there
 * @param value null but for PPO
 */
public record OnlineSettings(
    OnlineObjective objective,
    UpdatePlan plan,
    Writing writing,
    Sources sources,
    TokenRewards.Config rewards,
    RewardNormalizer.Mode normalization,
    KlController controller,
    Estimate estimate,
    PolicyGradient.Config loss,
    @Nullable Value value,
    RolloutAlarmSettings alarms) {

  /**
   * How completions are written.
   *
   * @param slots written at once
   * @param evaluated completions of each held-out prompt
   */
  public record Writing(double temperature, int maxCompletionLength, int slots, int evaluated) {
    public Writing {
      require(temperature > 0, "temperature", temperature, "above 0");
      require(maxCompletionLength > 0, "max_completion_length", maxCompletionLength, "above 0");
      require(slots > 0, "rollout_slots", slots, "above 0");
      require(evaluated > 0, "num_generations_eval", evaluated, "above 0");
    }
  }

  /**
   * Where rewards come from, in the order of their weights.
   *
   * @param models folders of reward models
   * @param functions names of {@link RewardSource}s on the class path
   * @param rules expressions
   * @param weights empty for 1 each
   */
  public record Sources(
      List<Path> models, List<String> functions, List<String> rules, List<Double> weights) {
    public Sources {
      models = List.copyOf(models);
      functions = List.copyOf(functions);
      rules = List.copyOf(rules);
      weights = List.copyOf(weights);
    }

    /** Whether nothing in this process says how good a completion is. */
    public boolean isEmpty() {
      return models.isEmpty() && functions.isEmpty() && rules.isEmpty();
    }
  }

  /**
   * From rewards to advantages.
   *
   * @param maskTruncated whether completions that were cut off are not learnt from
   * @param softPunishCache tokens before the longest length over which a penalty grows; 0: none
   */
  public record Estimate(
      double gamma,
      double lambda,
      boolean whitenRewards,
      ScaleRewards scale,
      boolean normalizeAdvantages,
      boolean maskTruncated,
      int softPunishCache) {}

  /**
   * The value model of PPO.
   *
   * @param model a folder of its own; null where it is an adapter on the policy's base model
   */
  public record Value(ValueRegression.Config loss, double learningRate, @Nullable Path model) {}

  /** Parses settings of an objective; {@code arguments} are those of the policy. */
  public static OnlineSettings parse(
      Parameters in, OnlineObjective objective, TrainingArguments arguments) {
    boolean ppo = objective == OnlineObjective.PPO;
    int longest =
        in.integer("max_completion_length", ppo ? in.integer("response_length", 53) : 512);
    return new OnlineSettings(
        objective,
        plan(in, objective, arguments),
        new Writing(
            in.number("temperature", ppo ? 0.7 : 1),
            longest,
            in.integer("rollout_slots", 64),
            in.integer("num_generations_eval", 1)),
        sources(in),
        new TokenRewards.Config(
            KlEstimator.named(in.text("kl_estimator", "k1")),
            in.number("kl_clamp", Double.POSITIVE_INFINITY),
            in.number("missing_eos_penalty", 0),
            in.number("reward_clip", Double.POSITIVE_INFINITY)),
        normalization(in.text("normalize_rewards", "none")),
        controller(in, objective),
        new Estimate(
            in.number("gamma", 1),
            ppo ? in.number("lam", 0.95) : 1,
            ppo && in.flag("whiten_rewards", false),
            objective == OnlineObjective.GRPO
                ? ScaleRewards.named(in.text("scale_rewards", "group"))
                : ScaleRewards.NONE,
            objective == OnlineObjective.RLOO && in.flag("normalize_advantages", false),
            in.flag("mask_truncated_completions", false),
            in.integer("soft_punish_cache", 0)),
        loss(in, objective, longest),
        ppo ? value(in, arguments) : null,
        RolloutAlarmSettings.parse(in));
  }

  private static UpdatePlan plan(
      Parameters in, OnlineObjective objective, TrainingArguments arguments) {
    int micro = arguments.perDeviceTrainBatchSize();
    int accumulation = arguments.gradientAccumulationSteps();
    if (objective == OnlineObjective.PPO) {
      return new UpdatePlan(
          in.integer("num_generations", 1),
          in.integer("num_ppo_epochs", 4),
          in.integer("num_mini_batches", 1),
          micro,
          accumulation,
          true);
    }
    int generations =
        switch (objective) {
          case GRPO -> in.integer("num_generations", 8);
          case RLOO -> in.integer("num_generations", 2);
          default -> in.integer("num_generations", 1);
        };
    if (objective.comparesGroups() && generations < 2) {
      throw new IllegalArgumentException(
          "'num_generations' is "
              + generations
              + "; "
              + objective
              + " compares the completions of a prompt, so it needs at least 2");
    }
    int steps = in.integer("steps_per_generation", accumulation);
    if (in.text("generation_batch_size").isPresent()) {
      int batch = in.integer("generation_batch_size", 0);
      if (in.text("steps_per_generation").isPresent() || batch % micro != 0) {
        throw new IllegalArgumentException(
            "'generation_batch_size' goes without 'steps_per_generation' and is a multiple of"
                + " 'per_device_train_batch_size'");
      }
      steps = batch / micro;
    }
    if (steps < 1 || steps % accumulation != 0) {
      throw new IllegalArgumentException(
          "'steps_per_generation' is "
              + steps
              + "; it must be a multiple of 'gradient_accumulation_steps' ("
              + accumulation
              + "), so that an update learns from the completions of one policy");
    }
    return new UpdatePlan(
        generations,
        in.integer("num_iterations", 1),
        steps / accumulation,
        micro,
        accumulation,
        false);
  }

  private static Sources sources(Parameters in) {
    List<Path> models = new ArrayList<>();
    in.text("reward_model")
        .ifPresent(text -> List.of(text.split(",")).forEach(f -> models.add(Path.of(f.trim()))));
    List<String> rules = new ArrayList<>();
    in.text("reward_rule").ifPresent(text -> rules.addAll(rules(text)));
    List<Double> weights = new ArrayList<>();
    for (String weight : in.list("reward_weights", List.of())) {
      try {
        weights.add(Double.parseDouble(weight));
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            "'reward_weights' has '" + weight + "', which is no number", e);
      }
    }
    return new Sources(models, in.list("reward_function", List.of()), rules, weights);
  }

  /** One expression, or a JSON list of several. */
  private static List<String> rules(String text) {
    if (!text.startsWith("[\"")) {
      return List.of(text);
    }
    List<String> rules = new ArrayList<>();
    for (JsonNode rule : JsonFiles.parse(text, "parameter 'reward_rule'")) {
      rules.add(rule.asText());
    }
    return rules;
  }

  private static RewardNormalizer.Mode normalization(String name) {
    for (RewardNormalizer.Mode mode : RewardNormalizer.Mode.values()) {
      if (mode.name().toLowerCase(Locale.ROOT).equals(name)) {
        return mode;
      }
    }
    throw new IllegalArgumentException(
        "'normalize_rewards' is " + name + "; it is none, running or group");
  }

  private static KlController controller(Parameters in, OnlineObjective objective) {
    if (!objective.rewardsCloseness()) {
      return new KlController.Fixed(0);
    }
    double fixed =
        switch (objective) {
          case PPO -> in.number("kl_coef", 0.05);
          case RLOO -> in.number("beta", 0.05);
          default -> in.number("kl_coef", 0.01);
        };
    return in.flag("adap_kl_ctrl", false)
        ? new KlController.Adaptive(
            in.number("init_kl_coef", 0.2), in.number("target_kl", 6), in.number("horizon", 10_000))
        : new KlController.Fixed(fixed);
  }

  private static PolicyGradient.Config loss(Parameters in, OnlineObjective objective, int longest) {
    if (objective == OnlineObjective.PPO) {
      double range = in.number("cliprange", 0.2);
      return loss(LossType.PPO, range, range, in, ImportanceSamplingLevel.TOKEN, 0, longest);
    }
    double low = in.number("epsilon", 0.2);
    double high = in.number("epsilon_high", low);
    return switch (objective) {
      case GRPO ->
          loss(
              LossType.named(in.text("loss_type", "dapo")),
              low,
              high,
              in,
              ImportanceSamplingLevel.named(in.text("importance_sampling_level", "token")),
              in.number("beta", 0),
              longest);
      case RLOO ->
          loss(LossType.GRPO, low, high, in, ImportanceSamplingLevel.TRAJECTORY, 0, longest);
      default -> loss(LossType.PPO, low, high, in, ImportanceSamplingLevel.TOKEN, 0, longest);
    };
  }

  private static PolicyGradient.Config loss(
      LossType type,
      double low,
      double high,
      Parameters in,
      ImportanceSamplingLevel level,
      double beta,
      int longest) {
    PolicyGradient.Config plain = PolicyGradient.Config.of(type, level, longest);
    return new PolicyGradient.Config(
        type,
        low,
        high,
        in.number("delta", plain.delta()),
        level,
        beta,
        longest,
        plain.logRatioClamp(),
        plain.importanceWeightCap());
  }

  private static Value value(Parameters in, TrainingArguments arguments) {
    return new Value(
        new ValueRegression.Config(in.number("cliprange_value", 0.2), in.number("vf_coef", 0.1)),
        in.number("value_learning_rate", arguments.learningRate()),
        in.text("value_model").map(Path::of).orElse(null));
  }

  private static void require(boolean valid, String name, Object value, String allowed) {
    if (!valid) {
      throw new IllegalArgumentException("'" + name + "' is " + value + "; it must be " + allowed);
    }
  }

  /** Whether the reference policy is read. */
  boolean readsReference() {
    return controller.coefficient() > 0 || loss.beta() > 0;
  }

  /**
   * Whether the policy is read before it learns: not where each completion is learnt once, at which
   * moment its log-probabilities are those of the policy that wrote it.
   */
  boolean readsPolicy() {
    return objective.rewardsCloseness() || plan.updates() > 1;
  }
}
