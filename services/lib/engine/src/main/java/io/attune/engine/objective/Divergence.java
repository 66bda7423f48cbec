package io.attune.engine.objective;

/**
 * How the distance between policy and reference is measured: the derivative f' of an f-divergence,
 * without its constant, as a function of u = log(policy / reference). Wang et al., arXiv
 * 2309.16240; trl's {@code f_divergence_type}.
 */
public sealed interface Divergence {

  /** f'(e^u). */
  double score(double u);

  /** Derivative of {@link #score} by u. */
  double slope(double u);

  /** {@code js_divergence}, Jensen-Shannon: {@code log 2 + log sigmoid(u)}. */
  record JensenShannon() implements Divergence {
    @Override
    public double score(double u) {
      return Math.log(2) + Logistic.logSigmoid(u);
    }

    @Override
    public double slope(double u) {
      return Logistic.sigmoid(-u);
    }
  }

  /**
   * {@code alpha_divergence}: {@code (e^((alpha - 1) u) - 1) / (alpha - 1)}; with alpha 0 it is
   * {@code forward_kl}, and {@code reverse_kl} is the limit for alpha to 1.
   *
   * @param alpha not 1
   */
  record Alpha(double alpha) implements Divergence {
    /**
     * Beyond this exponent a score stays as it is, as in trl: a float32 gradient would overflow.
     */
    private static final double LARGEST_EXPONENT = 80;

    public Alpha {
      Requirement.that(
          Double.isFinite(alpha) && Math.abs(alpha - 1) >= 1e-6,
          "f_alpha_divergence_coef",
          alpha,
          "be a number other than 1, which is reverse_kl");
    }

    @Override
    public double score(double u) {
      double exponent = (alpha - 1) * u;
      return Math.expm1(Math.min(exponent, LARGEST_EXPONENT)) / (alpha - 1);
    }

    @Override
    public double slope(double u) {
      double exponent = (alpha - 1) * u;
      return exponent > LARGEST_EXPONENT ? 0 : Math.exp(exponent);
    }
  }
}
