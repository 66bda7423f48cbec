package io.attune.engine.online;

import io.attune.engine.train.Parameters;

/**
 * What stops a run whose policy goes astray. Usual lengths and entropies are those of the first
 * iterations.
 *
 * @param kl divergence from the reference, summed over a completion and averaged over completions,
 *     in nats, that is too much; 0: never
 * @param lengthFactor how many times longer or shorter than usual completions must be; 0: never
 * @param entropyFactor which part of the usual entropy of a token is too little; 0: never
 * @param steps iterations in a row
 */
public record RolloutAlarmSettings(
    double kl, double lengthFactor, double entropyFactor, int steps) {
  public static final RolloutAlarmSettings DEFAULT = new RolloutAlarmSettings(100, 10, 0.01, 3);

  public RolloutAlarmSettings {
    require(kl >= 0, "alarm_kl", kl, "at least 0");
    require(lengthFactor == 0 || lengthFactor > 1, "alarm_length_factor", lengthFactor, "0 or > 1");
    require(
        entropyFactor >= 0 && entropyFactor < 1,
        "alarm_entropy_factor",
        entropyFactor,
        "in [0, 1)");
    require(steps > 0, "alarm_rollout_steps", steps, "above 0");
  }

  static RolloutAlarmSettings parse(Parameters in) {
    return new RolloutAlarmSettings(
        in.number("alarm_kl", DEFAULT.kl),
        in.number("alarm_length_factor", DEFAULT.lengthFactor),
        in.number("alarm_entropy_factor", DEFAULT.entropyFactor),
        in.integer("alarm_rollout_steps", DEFAULT.steps));
  }

  private static void require(boolean valid, String name, double value, String allowed) {
    if (!valid || !Double.isFinite(value)) {
      throw new IllegalArgumentException("'" + name + "' is " + value + "; it must be " + allowed);
    }
  }
}
