package io.attune.engine.rollout;

import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Metrics;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Reading;
import io.attune.engine.objective.Sequence;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The clipped surrogate of PPO and of its kin without a value model: make tokens of positive
 * advantage likelier and the others less likely, but not far beyond where the policy was.
 *
 * <p>Schulman et al., arXiv 1707.06347, equation 7; the variants: GRPO 2402.03300, DAPO 2503.14476,
 * Dr. GRPO 2503.20783, GSPO 2507.18071, RLOO 2402.14740; dual clip: Ye et al., arXiv 1912.09729.
 * For token t with advantage A, log-probabilities p (policy), q (old policy), f (reference) and
 * importance weight w:
 *
 * <pre>r      = exp(clamp(p - q))                 (of the token, or of its completion)
 * loss_t = - w min(min(r, delta) A, clip(r, 1 - low, 1 + high) A)
 *          + beta (exp(f - p) - (f - p) - 1)</pre>
 *
 * <p>{@link LossType} says what the losses of tokens are divided by. The normaliser is that of the
 * whole step, so micro-batches add up to one large batch; where trl averages the means of
 * micro-batches (grpo, dr_grpo, bnpo) that is the same for micro-batches of one size. trl's PPO
 * averages the means of micro-batches, too; {@link LossType#PPO} is the mean over all tokens.
 *
 * <p>Completions that were cut off and are not to be learnt from ({@code
 * mask_truncated_completions}) are left out of the examples. trl counts them in the normaliser of
 * grpo and dr_grpo all the same: add their {@link #weight} to it.
 */
public final class PolicyGradient implements Objective<Experience> {

  /**
   * @param lossType what the losses of tokens are divided by
   * @param clipRangeLow how far below 1 a ratio counts: {@code epsilon}, {@code cliprange}
   * @param clipRangeHigh how far above 1: {@code epsilon_high}
   * @param delta largest ratio that counts where the advantage is negative; infinite for none
   * @param importanceSamplingLevel what a ratio is taken of
   * @param beta how strongly the loss holds the policy to the reference
   * @param maxCompletionLength the constant length of dr_grpo
   * @param logRatioClamp log-ratios beyond it, either side, have no gradient; infinite for none
   * @param importanceWeightCap importance weights are cut to it
   */
  public record Config(
      LossType lossType,
      double clipRangeLow,
      double clipRangeHigh,
      double delta,
      ImportanceSamplingLevel importanceSamplingLevel,
      double beta,
      int maxCompletionLength,
      double logRatioClamp,
      double importanceWeightCap) {

    /** Of trl's PPO trainer. */
    public static final Config PPO =
        of(LossType.PPO, ImportanceSamplingLevel.TOKEN, PolicyGradient.MAX_COMPLETION_LENGTH);

    /** Of trl's GRPO trainer, whose loss is DAPO's. */
    public static final Config GRPO =
        of(LossType.DAPO, ImportanceSamplingLevel.TOKEN, PolicyGradient.MAX_COMPLETION_LENGTH);

    /** Of trl's RLOO trainer: a completion is one action. */
    public static final Config RLOO =
        of(LossType.GRPO, ImportanceSamplingLevel.TRAJECTORY, PolicyGradient.MAX_COMPLETION_LENGTH);

    /**
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Config {
      require(clipRangeLow > 0 && clipRangeLow < 1, "epsilon", clipRangeLow, "in (0, 1)");
      require(clipRangeHigh > 0, "epsilon_high", clipRangeHigh, "> 0");
      require(
          delta > 1 + clipRangeHigh, "delta", delta, "> 1 + epsilon_high; it would undo the clip");
      require(beta >= 0 && beta < Double.POSITIVE_INFINITY, "beta", beta, ">= 0");
      require(maxCompletionLength > 0, "max_completion_length", maxCompletionLength, "> 0");
      require(logRatioClamp > 0, "log_ratio_clamp", logRatioClamp, "> 0");
      require(importanceWeightCap > 0, "importance_weight_cap", importanceWeightCap, "> 0");
    }

    /** A loss with trl's defaults for all else. */
    public static Config of(
        LossType lossType, ImportanceSamplingLevel level, int maxCompletionLength) {
      return new Config(
          lossType, 0.2, 0.2, Double.POSITIVE_INFINITY, level, 0, maxCompletionLength, 20, 3);
    }

    private static void require(boolean holds, String name, double value, String range) {
      if (!holds) {
        throw new IllegalArgumentException("'" + name + "' is " + value + "; it must be " + range);
      }
    }
  }

  private static final int MAX_COMPLETION_LENGTH = 512;

  private final Config config;

  /** Tokens that each completion counts for in dapo; 0 for its own. */
  private final double meanLength;

  public PolicyGradient(Config config) {
    this(config, 0);
  }

  private PolicyGradient(Config config, double meanLength) {
    this.config = config;
    this.meanLength = meanLength;
  }

  /**
   * This loss for steps that each see some of {@code rollouts}: dapo then divides by the step's
   * share of all their tokens, whichever completions the step sees. Changes no other loss.
   */
  public PolicyGradient over(List<Experience> rollouts) {
    return new PolicyGradient(
        config, rollouts.stream().mapToInt(Experience::length).average().orElse(0));
  }

  @Override
  public Readout readout() {
    return Readout.LOG_PROBS;
  }

  /** False: an experience brings its reference log-probabilities. */
  @Override
  public boolean usesReference() {
    return false;
  }

  @Override
  public List<Sequence> sequences(Experience example) {
    return List.of(Sequence.of(example.promptIds(), example.completionIds()));
  }

  @Override
  public double weight(Experience example) {
    return switch (config.lossType()) {
      case PPO -> example.length();
      case DAPO -> meanLength > 0 ? meanLength : example.length();
      case GRPO, BNPO -> 1;
      case DR_GRPO -> config.maxCompletionLength();
    };
  }

  @Override
  public Loss loss(
      List<Experience> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    double surrogate = 0;
    double divergence = 0;
    double[][] gradient = new double[examples.size()][];
    Metrics metrics = new Metrics();
    for (int i = 0; i < gradient.length; i++) {
      Experience example = examples.get(i);
      double[] logProbs = policy.get(i).values();
      if (logProbs.length != example.length()) {
        throw new IllegalArgumentException(
            "%d log-probabilities for a completion of %d tokens"
                .formatted(logProbs.length, example.length()));
      }
      double share = share(example, examples) / normaliser;
      gradient[i] = new double[logProbs.length];
      ClippedSurrogate clipped = new ClippedSurrogate(config, example, logProbs);
      surrogate += share * clipped.loss(share, gradient[i]);
      divergence += share * divergence(example, logProbs, share, gradient[i], metrics);
      clipped.observe(metrics);
      metrics.add("completions/mean_length", example.length());
    }
    double weight = examples.stream().mapToDouble(this::weight).sum();
    metrics.add("loss/policy_avg", surrogate * normaliser, weight);
    return new Loss(surrogate + config.beta() * divergence, gradient, metrics);
  }

  /** What each token of a completion counts, before the normaliser divides it. */
  private double share(Experience example, List<Experience> microBatch) {
    return switch (config.lossType()) {
      case PPO, DAPO, DR_GRPO -> 1;
      case GRPO -> 1.0 / example.length();
      case BNPO ->
          (double) microBatch.size() / microBatch.stream().mapToInt(Experience::length).sum();
    };
  }

  /**
   * The sum over tokens of the estimate k3 of the divergence from the reference.
   *
   * @param gradient to which {@code share} times the derivative of beta times that is added
   */
  private double divergence(
      Experience example, double[] logProbs, double share, double[] gradient, Metrics metrics) {
    double[] reference = example.referenceLogProbs();
    if (reference == null) {
      if (config.beta() > 0) {
        throw new IllegalArgumentException(
            "'beta' is " + config.beta() + ", but an experience has no 'referenceLogProbs'");
      }
      return 0;
    }
    double sum = 0;
    for (int t = 0; t < logProbs.length; t++) {
      double ahead = reference[t] - logProbs[t];
      double held = Clamp.of(ahead, config.logRatioClamp());
      sum += KlEstimator.K3.of(-held);
      if (held == ahead) {
        gradient[t] += share * config.beta() * -Math.expm1(held);
      }
    }
    metrics.add("kl", sum, logProbs.length);
    return sum;
  }
}
