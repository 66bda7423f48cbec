package io.attune.training.release;

import io.attune.common.v1.AdapterVersion;
import io.attune.training.v1.GateDecision;
import java.util.Arrays;
import java.util.Locale;

/**
 * Decides whether a candidate replaces the active version: its mean must be higher by the required
 * margin, and the 95% interval of the paired difference must lie above 0. A margin alone would let
 * luck pass, an interval alone would let an improvement pass that nobody notices.
 *
 * @param requiredMargin least difference of the means
 * @param resamples bootstrap resamples
 * @param seed of the bootstrap
 */
public record Gate(double requiredMargin, int resamples, long seed) {
  /** What is compared, in words: the metric, the units of the sample, and the two sides. */
  public record Words(String metric, String unit, String candidate, String active) {}

  /**
   * Compares the two, pair by pair.
   *
   * @param candidate the candidate's values
   * @param active the active version's values on the same units, in the same order
   * @param compared the active version
   */
  public GateDecision decide(
      double[] candidate, double[] active, AdapterVersion compared, Words words) {
    if (candidate.length != active.length) {
      throw new IllegalArgumentException(
          candidate.length + " values of the candidate, " + active.length + " of the active one");
    }
    double[] differences = new double[candidate.length];
    Arrays.setAll(differences, i -> candidate[i] - active[i]);
    PairedBootstrap interval = PairedBootstrap.of(differences, resamples, seed);
    // Means are sums in floating point: a difference that equals the margin reaches it.
    boolean wide = interval.mean() >= requiredMargin - 1e-12;
    boolean sure = interval.low() > 0;
    double candidateMean = Arrays.stream(candidate).average().orElseThrow();
    double activeMean = Arrays.stream(active).average().orElseThrow();
    String verdict =
        wide && sure
            ? "Released: "
            : !wide
                ? "Refused, the margin is not reached: "
                : "Refused, the difference may be chance: ";
    String reason =
        String.format(
            Locale.ROOT,
            "%s%s on %d %s is %.4f for %s and %.4f for %s, a difference of %+.4f"
                + " (95%% interval %+.4f to %+.4f); at least %+.4f above 0 is asked for.",
            verdict,
            words.metric(),
            candidate.length,
            words.unit(),
            candidateMean,
            words.candidate(),
            activeMean,
            words.active(),
            interval.mean(),
            interval.low(),
            interval.high(),
            requiredMargin);
    return GateDecision.newBuilder()
        .setReleased(wide && sure)
        .setMetric(words.metric() + " on " + words.unit())
        .setCandidateMean(candidateMean)
        .setActiveMean(activeMean)
        .setDifference(interval.mean())
        .setDifferenceLow(interval.low())
        .setDifferenceHigh(interval.high())
        .setRequiredMargin(requiredMargin)
        .setSampleSize(candidate.length)
        .setReason(reason)
        .setActive(compared)
        .build();
  }
}
