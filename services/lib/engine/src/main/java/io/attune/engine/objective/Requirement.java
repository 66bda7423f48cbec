package io.attune.engine.objective;

/** What settings of objectives have to be. */
final class Requirement {
  private Requirement() {}

  static void that(boolean met, String name, Object value, String allowed) {
    if (!met) {
      throw new IllegalArgumentException("'" + name + "' is " + value + "; it must " + allowed);
    }
  }

  static void beta(double beta) {
    positive("beta", beta);
  }

  static void positive(String name, double value) {
    that(value > 0 && Double.isFinite(value), name, value, "be positive");
  }

  static void notNegative(String name, double value) {
    that(value >= 0 && Double.isFinite(value), name, value, "not be < 0");
  }

  /** From {@code low} to below {@code high}. */
  static void smoothing(double value, double low, double high) {
    that(
        value >= low && value < high,
        "label_smoothing",
        value,
        "be in [" + number(low) + ", " + number(high) + ")");
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }
}
