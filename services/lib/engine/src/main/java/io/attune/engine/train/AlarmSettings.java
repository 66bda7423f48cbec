package io.attune.engine.train;

/**
 * What stops a run that has gone wrong. The defaults leave ordinary runs alone: what is judged has
 * to be far beyond what the run itself has shown, several steps in a row.
 *
 * @param nanSteps steps in a row with a loss or gradients that are NaN or infinite; each of them
 *     leaves the weights as they are. 0: never
 * @param gradNormFactor how many times its usual size the gradients' norm must be; 0: never
 * @param gradNormWindow latest steps whose median is the usual size
 * @param gradNormSteps steps in a row
 * @param lossFactor how many times its best value the smoothed loss must be; 0: never
 * @param lossWindow steps over which it is smoothed, exponentially
 * @param lossSteps steps in a row
 */
public record AlarmSettings(
    int nanSteps,
    double gradNormFactor,
    int gradNormWindow,
    int gradNormSteps,
    double lossFactor,
    int lossWindow,
    int lossSteps) {

  public static final AlarmSettings DEFAULT = new AlarmSettings(1, 20, 50, 5, 3, 20, 5);

  /** What the names of these settings begin with; none of them changes what a run learns. */
  public static final String PREFIX = "alarm_";

  public AlarmSettings {
    require(nanSteps >= 0, "alarm_nan_steps", nanSteps, "at least 0");
    require(factor(gradNormFactor), "alarm_grad_norm_factor", gradNormFactor, "0 or above 1");
    require(factor(lossFactor), "alarm_loss_factor", lossFactor, "0 or above 1");
    require(
        gradNormWindow >= Alarms.FEWEST_NORMS && gradNormWindow <= 10_000,
        "alarm_grad_norm_window",
        gradNormWindow,
        "from " + Alarms.FEWEST_NORMS + " to 10000");
    require(lossWindow >= 1, "alarm_loss_window", lossWindow, "at least 1");
    require(gradNormSteps >= 1, "alarm_grad_norm_steps", gradNormSteps, "at least 1");
    require(lossSteps >= 1, "alarm_loss_steps", lossSteps, "at least 1");
  }

  static AlarmSettings parse(Parameters in) {
    return new AlarmSettings(
        in.integer("alarm_nan_steps", DEFAULT.nanSteps),
        in.number("alarm_grad_norm_factor", DEFAULT.gradNormFactor),
        in.integer("alarm_grad_norm_window", DEFAULT.gradNormWindow),
        in.integer("alarm_grad_norm_steps", DEFAULT.gradNormSteps),
        in.number("alarm_loss_factor", DEFAULT.lossFactor),
        in.integer("alarm_loss_window", DEFAULT.lossWindow),
        in.integer("alarm_loss_steps", DEFAULT.lossSteps));
  }

  /**
   * For surrogates of a reward, which begin at zero and have no size that a loss could explode
   * beyond: that alarm is off unless it was asked for.
   */
  AlarmSettings ofSurrogate(Parameters in) {
    return new AlarmSettings(
        nanSteps,
        gradNormFactor,
        gradNormWindow,
        gradNormSteps,
        in.number("alarm_loss_factor", 0),
        lossWindow,
        lossSteps);
  }

  private static boolean factor(double value) {
    return value == 0 || (value > 1 && Double.isFinite(value));
  }

  private static void require(boolean valid, String name, Object value, String allowed) {
    if (!valid) {
      throw new IllegalArgumentException("'" + name + "' is " + value + "; it must be " + allowed);
    }
  }
}
