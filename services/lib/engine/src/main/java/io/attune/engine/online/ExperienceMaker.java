package io.attune.engine.online;

import io.attune.engine.objective.Metrics;
import io.attune.engine.rollout.Advantages;
import io.attune.engine.rollout.Experience;
import io.attune.engine.rollout.ImportanceWeights;
import io.attune.engine.rollout.KlController;
import io.attune.engine.rollout.LossType;
import io.attune.engine.rollout.Moments;
import io.attune.engine.rollout.RewardNormalizer;
import io.attune.engine.rollout.SoftOverlongPunishment;
import io.attune.engine.rollout.TokenRewards;
import io.attune.engine.rollout.ValueRegression;
import io.attune.engine.train.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * From completions and what the models say of them to what is learnt. What it remembers from
 * iteration to iteration, the run's checkpoints keep.
 *
 * <p>Single-threaded.
 */
final class ExperienceMaker {
  private static final String COEFFICIENT = "objective/kl_coef";

  private final OnlineSettings settings;
  private final Progress progress;
  private final TokenRewards tokenRewards;
  private KlController controller;
  private final RewardNormalizer normalizer;

  ExperienceMaker(OnlineSettings settings, Progress progress) {
    this.settings = settings;
    this.progress = progress;
    this.tokenRewards = new TokenRewards(settings.rewards());
    this.controller = settings.controller();
    if (controller instanceof KlController.Adaptive adaptive) {
      controller =
          new KlController.Adaptive(
              progress.recall(COEFFICIENT, adaptive.coefficient()),
              adaptive.target(),
              adaptive.horizon());
    }
    this.normalizer =
        new RewardNormalizer(
            settings.normalization(),
            settings.plan().numGenerations(),
            new Moments(
                (long) progress.recall("scores/count", 0),
                progress.recall("scores/mean", 0),
                progress.recall("scores/squares", 0)));
  }

  /**
   * What the models say of each completion, a number for each of its tokens.
   *
   * @param policy log-probabilities before the update; null where they are not needed
   * @param reference likewise of the reference policy
   * @param values null without a value model
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never kept
  record Readings(
      double @Nullable [][] policy,
      double @Nullable [][] reference,
      double @Nullable [][] values) {}

  /**
   * @param learnt for each experience whether the policy learns anything from it
   * @param counted whether it counts in what losses are divided by
   * @param kl mean divergence of a completion from the reference; null where that was not read
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never kept
  record Made(
      List<Experience> experiences,
      boolean[] learnt,
      boolean[] counted,
      @Nullable Double kl,
      Metrics metrics) {}

  /**
   * @param rollouts all of an iteration, those of a prompt side by side
   * @param scores of each
   */
  Made make(List<Rollout> rollouts, double[] scores, Readings readings) {
    Metrics metrics = new Metrics();
    List<TokenRewards.Shaped> shaped = shaped(rollouts, scores, readings);
    Double kl = describe(shaped, readings, metrics);
    Advantages.OfTokens advantages = advantages(rollouts, shaped, readings, metrics);
    List<Experience> experiences = new ArrayList<>();
    boolean[] learnt = new boolean[rollouts.size()];
    boolean[] counted = new boolean[learnt.length];
    for (int i = 0; i < learnt.length; i++) {
      Rollout rollout = rollouts.get(i);
      double[] own = advantages.advantages()[i];
      experiences.add(
          new Experience(
              rollout.prompt().ids(),
              rollout.completionIds(),
              readings.policy() == null ? new double[own.length] : readings.policy()[i],
              own,
              settings.loss().beta() > 0 ? readings.reference()[i] : null,
              readings.values() == null ? null : advantages.returns()[i],
              readings.values() == null ? null : readings.values()[i],
              importanceWeights(rollout, readings, i)));
      boolean masked = settings.estimate().maskTruncated() && !rollout.ended();
      learnt[i] = !masked && !isSpent(own);
      counted[i] = !masked || countsMasked();
    }
    if (readings.values() != null) {
      double explained = ValueRegression.explainedVariance(experiences);
      if (Double.isFinite(explained)) {
        metrics.add("val/explained_variance", explained);
      }
    }
    return new Made(experiences, learnt, counted, kl, metrics);
  }

  /** Null where the policy that learns wrote the completion. */
  private static double @Nullable [] importanceWeights(
      Rollout rollout, Readings readings, int index) {
    return rollout.origin() == null || readings.policy() == null
        ? null
        : ImportanceWeights.ofTokens(readings.policy()[index], rollout.origin().logProbs());
  }

  /** Whether a completion without any advantage can be passed over. */
  private boolean isSpent(double[] advantages) {
    return settings.loss().beta() == 0
        && settings.loss().lossType() != LossType.BNPO // divides by what is read together
        && Arrays.stream(advantages).allMatch(a -> a == 0);
  }

  /** trl counts completions that are masked in the number of completions. */
  private boolean countsMasked() {
    return switch (settings.loss().lossType()) {
      case PPO, DAPO -> false;
      case GRPO, BNPO, DR_GRPO -> true;
    };
  }

  private List<TokenRewards.Shaped> shaped(
      List<Rollout> rollouts, double[] scores, Readings readings) {
    double[] normalized = normalizer.normalize(scores);
    progress.remember("scores/count", normalizer.seen().count());
    progress.remember("scores/mean", normalizer.seen().mean());
    progress.remember("scores/squares", normalizer.seen().squares());
    SoftOverlongPunishment punishment =
        new SoftOverlongPunishment(
            settings.writing().maxCompletionLength(), settings.estimate().softPunishCache());
    List<TokenRewards.Shaped> shaped = new ArrayList<>();
    for (int i = 0; i < normalized.length; i++) {
      int length = rollouts.get(i).completionIds().length;
      shaped.add(
          tokenRewards.of(
              readings.policy() == null ? new double[length] : readings.policy()[i],
              readings.policy() == null || readings.reference() == null
                  ? null
                  : readings.reference()[i],
              normalized[i] + punishment.of(length),
              rollouts.get(i).ended(),
              controller.coefficient()));
    }
    return shaped;
  }

  /** Adds the metrics of rewards that were read; sets what divergence costs from now on. */
  private @Nullable Double describe(
      List<TokenRewards.Shaped> shaped, Readings readings, Metrics metrics) {
    if (readings.policy() == null || readings.reference() == null) {
      shaped.forEach(each -> metrics.add("objective/scores", each.score()));
      return null;
    }
    shaped.forEach(each -> metrics.addAll(each.metrics()));
    double kl = shaped.stream().mapToDouble(TokenRewards.Shaped::kl).average().orElse(0);
    if (settings.objective().rewardsCloseness()) {
      metrics.add(COEFFICIENT, controller.coefficient());
      controller = controller.after(kl, shaped.size());
      progress.remember(COEFFICIENT, controller.coefficient());
    }
    return kl;
  }

  private Advantages.OfTokens advantages(
      List<Rollout> rollouts,
      List<TokenRewards.Shaped> shaped,
      Readings readings,
      Metrics metrics) {
    OnlineSettings.Estimate estimate = settings.estimate();
    int generations = settings.plan().numGenerations();
    double[][] rewards = shaped.stream().map(TokenRewards.Shaped::rewards).toArray(double[][]::new);
    double[] totals = shaped.stream().mapToDouble(TokenRewards.Shaped::total).toArray();
    int[] lengths = rollouts.stream().mapToInt(r -> r.completionIds().length).toArray();
    return switch (settings.objective()) {
      case PPO -> {
        double[][] whitened =
            estimate.whitenRewards() ? Advantages.whiten(rewards, false) : rewards;
        Advantages.OfTokens found =
            Advantages.generalized(
                whitened, readings.values(), estimate.gamma(), estimate.lambda());
        yield new Advantages.OfTokens(Advantages.whiten(found.advantages(), true), found.returns());
      }
      case GRPO ->
          perToken(
              Advantages.groupRelative(totals, generations, estimate.scale()), lengths, metrics);
      case RLOO ->
          perToken(
              Advantages.leaveOneOut(totals, generations, estimate.normalizeAdvantages()),
              lengths,
              metrics);
      case REINFORCE_PLUS_PLUS -> Advantages.reinforcePlusPlus(rewards, estimate.gamma());
    };
  }

  private static Advantages.OfTokens perToken(
      Advantages.OfCompletions found, int[] lengths, Metrics metrics) {
    metrics.add("frac_reward_zero_std", found.fracRewardZeroStd());
    double[][] rows = Advantages.perToken(found.advantages(), lengths);
    return new Advantages.OfTokens(rows, rows);
  }
}
