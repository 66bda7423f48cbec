package io.attune.engine.rollout;

/** How much divergence from the reference costs: a constant, or held to a target. Immutable. */
public sealed interface KlController {

  /** What an estimate of the divergence is multiplied by; all that a checkpoint has to keep. */
  double coefficient();

  /**
   * The controller for the next rollout batch.
   *
   * @param kl mean divergence of the batch's completions, each a sum over its tokens
   * @param episodes completions of the batch
   */
  KlController after(double kl, int episodes);

  /** Always the same: trl's {@code kl_coef}, 0.05 by default. */
  record Fixed(double coefficient) implements KlController {
    public static final Fixed DEFAULT = new Fixed(0.05);

    public Fixed {
      require(coefficient >= 0, "kl_coef", coefficient, ">= 0");
    }

    @Override
    public Fixed after(double kl, int episodes) {
      return this;
    }
  }

  /**
   * More where the policy strays beyond the target, less where it keeps closer (Ziegler et al.,
   * arXiv 1909.08593, section 2.2):
   *
   * <pre>e = clip(kl / target - 1, -0.2, 0.2);  coefficient *= 1 + e episodes / horizon</pre>
   *
   * @param coefficient 0.2 to begin with in trl's classic PPO trainer
   * @param target divergence to be held
   * @param horizon episodes in which a lasting error changes the coefficient as much as it can
   */
  record Adaptive(double coefficient, double target, double horizon) implements KlController {
    public static final Adaptive DEFAULT = new Adaptive(0.2, 6, 10_000);

    public Adaptive {
      require(coefficient > 0, "init_kl_coef", coefficient, "> 0");
      require(target > 0, "target_kl", target, "> 0");
      require(horizon > 0, "horizon", horizon, "> 0");
    }

    /**
     * @throws IllegalArgumentException if {@code kl} is no number, or the batch so large for the
     *     horizon that the coefficient would not stay positive
     */
    @Override
    public Adaptive after(double kl, int episodes) {
      if (Double.isNaN(kl)) {
        throw new IllegalArgumentException("the divergence is NaN; the policy has broken down");
      }
      double error = Clamp.of(kl / target - 1, -0.2, 0.2);
      double factor = 1 + error * episodes / horizon;
      if (!(factor > 0)) {
        throw new IllegalArgumentException(
            "'horizon' is %s for %d episodes a batch; it must be > a fifth of them"
                .formatted(horizon, episodes));
      }
      return new Adaptive(coefficient * factor, target, horizon);
    }
  }

  private static void require(boolean holds, String name, double value, String range) {
    if (!holds || !Double.isFinite(value)) {
      throw new IllegalArgumentException("'" + name + "' is " + value + "; it must be " + range);
    }
  }
}
