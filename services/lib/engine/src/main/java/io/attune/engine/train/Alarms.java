package io.attune.engine.train;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Stops a run whose loss or gradients are NaN, infinite or exploding, before the step changes the
 * weights. What it decides follows from the steps alone, so a resumed run is stopped where one that
 * was left alone is.
 *
 * <p>The gradients explode when their norm is far above the larger of two medians: that of the
 * latest steps, and that of the first ones, since near the end of a run ordinary gradients are so
 * small that a few hard rows are many times their size. The loss explodes when, smoothed and by
 * itself, it is far above the lowest smoothed loss and above what the run began with: rising from
 * 0.001 to 0.01 is no explosion. Losses that are zero or negative have no ratio and are not judged.
 *
 * <p>Single-threaded.
 */
final class Alarms {
  /** Norms without which their median says little. */
  static final int FEWEST_NORMS = 10;

  /** Steps whose mean loss is what a run begins with. */
  private static final int FIRST_LOSSES = 5;

  private final AlarmSettings settings;
  private final IntFunction<@Nullable Path> checkpointUpTo;
  private AlarmState state;

  /**
   * @param checkpointUpTo the newest checkpoint after at most so many steps; null if there is none
   */
  Alarms(AlarmSettings settings, AlarmState state, IntFunction<@Nullable Path> checkpointUpTo) {
    this.settings = settings;
    this.state = state;
    this.checkpointUpTo = checkpointUpTo;
  }

  AlarmState state() {
    return state;
  }

  /** Whether the latest steps were such that more of them would raise an alarm. */
  boolean isSuspicious() {
    return state.suspectSince() > 0;
  }

  /**
   * Judges a step before its update.
   *
   * @param step from 1
   * @param norm of the gradients before clipping
   * @return whether the step may change the weights
   * @throws EngineException if the run has to stop
   */
  boolean check(int step, double loss, double norm) {
    boolean finite = Double.isFinite(loss) && Double.isFinite(norm);
    AlarmState before = state;
    state = finite ? judged(step, loss, norm) : notFinite(step);
    if (settings.nanSteps() > 0 && state.nanSteps() >= settings.nanSteps()) {
      throw stop(
          step,
          "the loss is " + loss + " and the gradients' norm " + norm,
          "With alarm_nan_steps=0 such steps are left out");
    }
    if (state.normSteps() >= settings.gradNormSteps()) {
      throw stop(
          step,
          String.format(
              Locale.ROOT,
              "the gradients explode: for %d steps in a row their norm was above %s times its usual"
                  + " %.4g, now it is %.4g (the loss is %.4g)",
              state.normSteps(),
              settings.gradNormFactor(),
              usualNorm(before),
              norm,
              loss),
          "alarm_grad_norm_factor sets this limit; 0 switches it off");
    }
    if (state.lossSteps() >= settings.lossSteps()) {
      throw stop(
          step,
          String.format(
              Locale.ROOT,
              "the loss explodes: for %d steps in a row it was above %s times its best, now it is"
                  + " %.4g (smoothed %.4g; the best was %.4g, at the start it was %.4g)",
              state.lossSteps(),
              settings.lossFactor(),
              loss,
              state.loss(),
              state.bestLoss(),
              state.firstLoss()),
          "alarm_loss_factor sets this limit; 0 switches it off");
    }
    return finite;
  }

  private AlarmState notFinite(int step) {
    return new AlarmState(
        state.steps(),
        state.norms(),
        state.firstNorm(),
        state.loss(),
        state.firstLoss(),
        state.bestLoss(),
        state.nanSteps() + 1,
        state.normSteps(),
        state.lossSteps(),
        state.suspectSince() == 0 ? step : state.suspectSince());
  }

  private AlarmState judged(int step, double loss, double norm) {
    int steps = state.steps() + 1;
    boolean wild = normExplodes(norm);
    List<Double> norms = new ArrayList<>(state.norms());
    norms.add(norm);
    norms = norms.subList(Math.max(0, norms.size() - settings.gradNormWindow()), norms.size());
    double firstNorm = steps == FEWEST_NORMS ? median(norms) : state.firstNorm();

    // A mean at first, so that the first losses count alike.
    double weight = Math.max(1.0 / steps, 2.0 / (settings.lossWindow() + 1));
    double smoothed = state.loss() + weight * (loss - state.loss());
    double firstLoss = steps == FIRST_LOSSES ? smoothed : state.firstLoss();
    double bestLoss = steps <= FIRST_LOSSES ? smoothed : Math.min(state.bestLoss(), smoothed);
    boolean lost = steps > FIRST_LOSSES && lossExplodes(loss, smoothed, firstLoss, bestLoss);

    int suspectSince = state.suspectSince() == 0 ? step : state.suspectSince();
    return new AlarmState(
        steps,
        norms,
        firstNorm,
        smoothed,
        firstLoss,
        bestLoss,
        0,
        wild ? state.normSteps() + 1 : 0,
        lost ? state.lossSteps() + 1 : 0,
        wild || lost ? suspectSince : 0);
  }

  private boolean normExplodes(double norm) {
    double usual = usualNorm(state);
    return settings.gradNormFactor() > 0 && usual > 0 && norm > settings.gradNormFactor() * usual;
  }

  /** The larger median; 0 where nothing can be said yet. */
  private static double usualNorm(AlarmState state) {
    return state.steps() < FEWEST_NORMS ? 0 : Math.max(state.firstNorm(), median(state.norms()));
  }

  private boolean lossExplodes(double loss, double smoothed, double first, double best) {
    double limit = Math.max(settings.lossFactor() * best, first);
    return settings.lossFactor() > 0 && best > 0 && smoothed > limit && loss > limit;
  }

  private static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  private EngineException stop(int step, String what, String setting) {
    return stop(
        step,
        what,
        state.suspectSince(),
        "with a lower learning_rate, more warmup_steps or a lower max_grad_norm, or look for"
            + " broken rows. "
            + setting);
  }

  /**
   * What to throw.
   *
   * @param since first step of what led to it
   * @param advice how to go on
   */
  EngineException stop(int step, String what, int since, String advice) {
    // The weights before the first suspicious step made that step's loss, so they are in doubt too.
    Path good = checkpointUpTo.apply(since - 2);
    return new EngineException(
        Reason.DIVERGED,
        "step "
            + step
            + ": "
            + what
            + "; stopped before this step changed the weights. "
            + (good == null
                ? "There is no checkpoint from before. Start again, in another folder,"
                : "The last good checkpoint is "
                    + good
                    + ": go on from it (resume_from_checkpoint), in another folder,")
            + " "
            + advice);
  }
}
