package io.attune.engine.rollout;

import java.util.Arrays;

/**
 * How much better tokens did than was to be expected.
 *
 * <p>Rows are completions, with a number for each token. Rewards of completions lie side by side by
 * prompt, {@code numGenerations} for each; NaN is one that could not be scored, which counts for no
 * mean or deviation and gets the advantage 0. Deviations are unbiased, as in trl.
 */
public final class Advantages {
  private static final double EPSILON = 1e-4; // beside deviations of rewards, as in trl
  private static final double NO_DEVIATION = 1e-8; // torch.isclose
  private static final double WHITENING_EPSILON = 1e-8; // beside variances of tokens, as in trl

  private Advantages() {}

  /** What deviations rewards are divided by; trl's {@code scale_rewards}. */
  public enum ScaleRewards {
    /** Each prompt's own: GRPO. */
    GROUP,
    /** That of all rewards of the batch. */
    BATCH,
    /** None: Dr. GRPO. */
    NONE;

    /**
     * @throws IllegalArgumentException if there is no such scale
     */
    public static ScaleRewards named(String name) {
      return switch (name) {
        case "group" -> GROUP;
        case "batch" -> BATCH;
        case "none" -> NONE;
        default ->
            throw new IllegalArgumentException(
                "'scale_rewards' is " + name + "; implemented are group, batch, none");
      };
    }
  }

  /**
   * For each token of each completion.
   *
   * @param returns what followed: rewards from this token on, as far as they are not estimated
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never kept
  public record OfTokens(double[][] advantages, double[][] returns) {}

  /**
   * For each completion.
   *
   * @param zeroStd for each prompt whether its rewards are all alike, or fewer than two: nothing
   *     can be learnt from its completions, and they may be left out (DAPO's dynamic sampling)
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never kept
  public record OfCompletions(double[] advantages, boolean[] zeroStd) {

    /** Share of the prompts that nothing can be learnt from; trl's metric of that name. */
    public double fracRewardZeroStd() {
      int count = 0;
      for (boolean zero : zeroStd) {
        count += zero ? 1 : 0;
      }
      return (double) count / zeroStd.length;
    }
  }

  /**
   * Generalised advantage estimation: Schulman et al., arXiv 1506.02438, equation 16. After the
   * last token there is nothing more to come.
   *
   * <pre>
   * delta_t = r_t + gamma v_{t+1} - v_t;  A_t = delta_t + gamma lambda A_{t+1};  R_t = A_t + v_t
   * </pre>
   *
   * @param rewards of tokens
   * @param values before each token is chosen
   * @param gamma discount, in [0, 1]; 1 in trl
   * @param lambda in [0, 1]; 0.95 in trl
   */
  public static OfTokens generalized(
      double[][] rewards, double[][] values, double gamma, double lambda) {
    requireShare("gamma", gamma);
    requireShare("lam", lambda);
    requireSame("rows of values", rewards.length, values.length);
    double[][] advantages = new double[rewards.length][];
    double[][] returns = new double[rewards.length][];
    for (int row = 0; row < rewards.length; row++) {
      int length = rewards[row].length;
      requireSame("values of a completion", length, values[row].length);
      advantages[row] = new double[length];
      returns[row] = new double[length];
      double next = 0;
      double later = 0;
      for (int t = length - 1; t >= 0; t--) {
        double delta = rewards[row][t] + gamma * next - values[row][t];
        later = delta + gamma * lambda * later;
        next = values[row][t];
        advantages[row][t] = later;
        returns[row][t] = later + next;
      }
    }
    return new OfTokens(advantages, returns);
  }

  /**
   * Mean 0 and variance 1 over all tokens of the batch; trl's {@code masked_whiten}: unbiased
   * variance, 1e-8 beside it.
   *
   * @param shiftMean whether the mean goes, as for advantages; else it stays, as for rewards
   * @throws IllegalArgumentException if there are fewer than two tokens
   */
  public static double[][] whiten(double[][] rows, boolean shiftMean) {
    Moments moments = Moments.of(Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray());
    if (moments.count() < 2) {
      throw new IllegalArgumentException(
          "a batch of " + moments.count() + " tokens has no variance; use a larger one");
    }
    double scale = 1 / Math.sqrt(moments.variance() + WHITENING_EPSILON);
    double mean = moments.mean();
    return Arrays.stream(rows)
        .map(
            row ->
                Arrays.stream(row)
                    .map(value -> (value - mean) * scale + (shiftMean ? 0 : mean))
                    .toArray())
        .toArray(double[][]::new);
  }

  /**
   * Against the mean of the prompt's completions, in units of a deviation: GRPO, arXiv 2402.03300,
   * section 4.1.2; without one: Dr. GRPO, arXiv 2503.20783.
   *
   * <pre>A = (r - mean of the group) / (deviation + 1e-4)</pre>
   */
  public static OfCompletions groupRelative(
      double[] rewards, int numGenerations, ScaleRewards scale) {
    double ofBatch = Moments.of(rewards).standardDeviation();
    Moments[] groups = groups(rewards, numGenerations);
    double[] advantages = new double[rewards.length];
    for (int i = 0; i < advantages.length; i++) {
      Moments group = groups[i / numGenerations];
      double divisor =
          switch (scale) {
            case GROUP -> group.standardDeviation() + EPSILON;
            case BATCH -> ofBatch + EPSILON;
            case NONE -> 1;
          };
      advantages[i] = (rewards[i] - group.mean()) / divisor;
    }
    return new OfCompletions(withoutGaps(advantages), zeroStd(groups));
  }

  /**
   * Against the mean of the prompt's other completions: RLOO, arXiv 2402.14740, equation 7.
   *
   * @param rewards with the divergence from the reference in them: {@link
   *     TokenRewards.Shaped#total}
   * @param normalizeAdvantages whether the batch's advantages are brought to mean 0 and deviation
   *     1; not in the paper, nor by default in trl
   */
  public static OfCompletions leaveOneOut(
      double[] rewards, int numGenerations, boolean normalizeAdvantages) {
    Moments[] groups = groups(rewards, numGenerations);
    double[] advantages = new double[rewards.length];
    for (int i = 0; i < advantages.length; i++) {
      Moments group = groups[i / numGenerations];
      double others = group.mean() * group.count() - rewards[i];
      // Of a completion whose siblings have no score this is no number.
      advantages[i] = rewards[i] - (group.count() < 2 ? Double.NaN : others / (group.count() - 1));
    }
    if (normalizeAdvantages) {
      Moments all = Moments.of(advantages);
      for (int i = 0; i < advantages.length; i++) {
        advantages[i] = (advantages[i] - all.mean()) / (all.standardDeviation() + EPSILON);
      }
    }
    return new OfCompletions(withoutGaps(advantages), zeroStd(groups));
  }

  /**
   * Of what follows each token, with the batch as the baseline: REINFORCE++, arXiv 2501.03262.
   * Returns are discounted sums of rewards, advantages are these, whitened over all tokens.
   *
   * @param tokenRewards with each token's divergence from the reference in them
   */
  public static OfTokens reinforcePlusPlus(double[][] tokenRewards, double gamma) {
    requireShare("gamma", gamma);
    double[][] returns = new double[tokenRewards.length][];
    for (int row = 0; row < returns.length; row++) {
      returns[row] = tokenRewards[row].clone();
      for (int t = returns[row].length - 2; t >= 0; t--) {
        returns[row][t] += gamma * returns[row][t + 1];
      }
    }
    return new OfTokens(whiten(returns, true), returns);
  }

  /**
   * Against the mean of the prompt's completions, whitened over all tokens of the batch:
   * REINFORCE++-baseline, arXiv 2501.03262. The divergence from the reference belongs into the
   * loss.
   *
   * @param lengths of the completions
   * @return returns are the rewards less the mean
   */
  public static OfTokens reinforcePlusPlusBaseline(
      double[] rewards, int numGenerations, int[] lengths) {
    double[] apart = groupRelative(rewards, numGenerations, ScaleRewards.NONE).advantages();
    double[][] returns = perToken(apart, lengths);
    for (int i = 0; i < apart.length; i++) {
      apart[i] = Double.isNaN(rewards[i]) ? Double.NaN : apart[i]; // no part of the batch's moments
    }
    double[][] advantages = whiten(perToken(apart, lengths), true);
    for (int row = 0; row < advantages.length; row++) {
      advantages[row] = withoutGaps(advantages[row]);
    }
    return new OfTokens(advantages, returns);
  }

  /** Gives each token what its completion has. */
  public static double[][] perToken(double[] ofCompletions, int[] lengths) {
    requireSame("lengths", ofCompletions.length, lengths.length);
    double[][] rows = new double[lengths.length][];
    for (int row = 0; row < rows.length; row++) {
      rows[row] = new double[lengths[row]];
      Arrays.fill(rows[row], ofCompletions[row]);
    }
    return rows;
  }

  /** Moments of each prompt's rewards. */
  static Moments[] groups(double[] rewards, int numGenerations) {
    if (numGenerations < 2) {
      throw new IllegalArgumentException(
          "'num_generations' is " + numGenerations + "; a group needs at least 2 completions");
    }
    if (rewards.length == 0 || rewards.length % numGenerations != 0) {
      throw new IllegalArgumentException(
          "%d rewards; 'num_generations' (%d) must divide them"
              .formatted(rewards.length, numGenerations));
    }
    Moments[] groups = new Moments[rewards.length / numGenerations];
    for (int g = 0; g < groups.length; g++) {
      groups[g] =
          Moments.of(Arrays.copyOfRange(rewards, g * numGenerations, (g + 1) * numGenerations));
    }
    return groups;
  }

  private static boolean[] zeroStd(Moments[] groups) {
    boolean[] zero = new boolean[groups.length];
    for (int g = 0; g < zero.length; g++) {
      zero[g] = !(groups[g].standardDeviation() > NO_DEVIATION);
    }
    return zero;
  }

  private static double[] withoutGaps(double[] values) {
    return Arrays.stream(values).map(value -> Double.isNaN(value) ? 0 : value).toArray();
  }

  private static void requireShare(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException("'" + name + "' is " + value + "; it must be in [0, 1]");
    }
  }

  private static void requireSame(String what, int expected, int actual) {
    if (expected != actual) {
      throw new IllegalArgumentException(
          "%d %s where %d are needed".formatted(actual, what, expected));
    }
  }
}
