package io.attune.engine.rollout;

/** torch.clamp, of which NaN stays NaN. */
final class Clamp {
  private Clamp() {}

  static double of(double x, double low, double high) {
    return Math.max(low, Math.min(high, x));
  }

  /** Into [-bound, bound]. */
  static double of(double x, double bound) {
    return of(x, -bound, bound);
  }
}
