package io.attune.engine.objective;

/** The logistic function, without overflow. */
final class Logistic {
  private Logistic() {}

  /** log(1 / (1 + e^-x)). */
  static double logSigmoid(double x) {
    return x > 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x));
  }

  static double sigmoid(double x) {
    return Math.exp(logSigmoid(x));
  }

  /** Derivative of {@link #sigmoid}. */
  static double slope(double x) {
    return Math.exp(logSigmoid(x) + logSigmoid(-x));
  }
}
