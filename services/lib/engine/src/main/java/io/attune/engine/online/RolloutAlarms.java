package io.attune.engine.online;

import io.attune.engine.EngineException;
import io.attune.engine.train.Progress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Stops a run whose policy strays from its reference, changes the length of what it writes out of
 * all proportion, or writes always the same. Decides by what the run's checkpoints keep, so that a
 * resumed run is stopped where one that was left alone is.
 *
 * <p>Single-threaded.
 */
final class RolloutAlarms {
  /** Iterations whose mean is the usual. */
  private static final int FIRST = 5;

  private static final String SEEN = "alarm/iterations";
  private static final String LENGTH = "alarm/usual_length";
  private static final String ENTROPY = "alarm/usual_entropy";

  private final RolloutAlarmSettings settings;
  private final Progress progress;

  RolloutAlarms(RolloutAlarmSettings settings, Progress progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /**
   * Judges an iteration before its first update.
   *
   * @param step of that update, from 1
   * @param kl mean over completions; null where it is not known
   * @param length mean of the completions, in tokens
   * @param entropy mean over tokens, in nats; null where none was read
   * @throws EngineException if the run has to stop
   */
  void check(int step, @Nullable Double kl, double length, @Nullable Double entropy) {
    boolean far = settings.kl() > 0 && kl != null && kl > settings.kl();
    int seen = (int) progress.recall(SEEN, 0);
    double usualLength = progress.recall(LENGTH, 0);
    double usualEntropy = progress.recall(ENTROPY, 0);
    boolean judged = seen >= FIRST;
    double factor = settings.lengthFactor();
    boolean drifted =
        judged && factor > 0 && (length > usualLength * factor || length < usualLength / factor);
    boolean collapsed =
        judged && entropy != null && entropy < usualEntropy * settings.entropyFactor();
    int farFor = streak("alarm/kl", far, step);
    int driftedFor = streak("alarm/length", drifted, step);
    int collapsedFor = streak("alarm/entropy", collapsed, step);
    progress.suspect(since());
    if (!judged) {
      progress.remember(SEEN, seen + 1);
      progress.remember(LENGTH, usualLength + (length - usualLength) / (seen + 1));
      if (entropy != null) {
        progress.remember(ENTROPY, usualEntropy + (entropy - usualEntropy) / (seen + 1));
      }
    }
    if (farFor >= settings.steps()) {
      throw stop(
          step,
          String.format(
              Locale.ROOT,
              "the policy strays from the reference: its divergence is %.4g nats a completion",
              kl),
          farFor,
          "a larger kl_coef or beta, or a lower learning_rate. alarm_kl (" + settings.kl() + ")");
    }
    if (driftedFor >= settings.steps()) {
      throw stop(
          step,
          String.format(
              Locale.ROOT,
              "completions have a mean length of %.4g tokens, at the start it was %.4g",
              length,
              usualLength),
          driftedFor,
          "a reward that lengths do not buy, or a lower learning_rate. alarm_length_factor ("
              + factor
              + ")");
    }
    if (collapsedFor >= settings.steps()) {
      throw stop(
          step,
          String.format(
              Locale.ROOT,
              "the policy writes always the same: the entropy of a token is %.4g nats, at the start"
                  + " it was %.4g",
              entropy,
              usualEntropy),
          collapsedFor,
          "a larger kl_coef or beta, or a lower learning_rate. alarm_entropy_factor ("
              + settings.entropyFactor()
              + ")");
    }
  }

  /** Iterations in a row of which something is true. */
  private int streak(String name, boolean holds, int step) {
    int streak = holds ? (int) progress.recall(name, 0) + 1 : 0;
    if (streak == 1) {
      progress.remember(name + "_since", step);
    }
    progress.remember(name, streak);
    return streak;
  }

  /** The first step of the oldest streak; 0 for none. */
  private int since() {
    int since = 0;
    for (String name : new String[] {"alarm/kl", "alarm/length", "alarm/entropy"}) {
      int own = progress.recall(name, 0) > 0 ? (int) progress.recall(name + "_since", 0) : 0;
      since = since == 0 || own == 0 ? Math.max(since, own) : Math.min(since, own);
    }
    return since;
  }

  private EngineException stop(int step, String what, int streak, String advice) {
    return progress.stop(
        step,
        what + ", for " + streak + " iterations in a row",
        since(),
        "with " + advice + " sets this limit; 0 switches it off");
  }
}
