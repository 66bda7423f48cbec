package io.attune.engine.rollout;

/**
 * Estimates of the divergence of a policy from its reference by the tokens that the policy wrote
 * (Schulman, joschu.net/blog/kl-approx.html); trl's {@code kl_estimator}.
 */
public enum KlEstimator {
  /** The log-ratio itself: unbiased, but negative for many tokens. */
  K1 {
    @Override
    double of(double logRatio) {
      return logRatio;
    }
  },
  /** e^-x - 1 + x: unbiased, never negative, of less variance. */
  K3 {
    @Override
    double of(double logRatio) {
      return Math.expm1(-logRatio) + logRatio;
    }
  };

  /**
   * @param logRatio log-probability under the policy less that under the reference
   */
  abstract double of(double logRatio);

  /**
   * @throws IllegalArgumentException if there is no such estimator
   */
  public static KlEstimator named(String name) {
    return switch (name) {
      case "k1" -> K1;
      case "k3" -> K3;
      default ->
          throw new IllegalArgumentException(
              "'kl_estimator' is " + name + "; implemented are k1, k3");
    };
  }
}
