package io.attune.training.release;

import io.attune.common.v1.AdapterVersion;
import io.attune.training.v1.GateDecision;
import java.util.Arrays;
import java.util.Locale;

/**
 * Compares what people say of a version's answers with what they said of the version before it. A
 * version is looked at again and again while ratings come; the k-th look has the level
 * 0.05/(k(k+1)), so that all of them together are wrong at most once in twenty (alpha spending; Lan
 * and DeMets 1983).
 *
 * @param margin least fall of the mean rating that counts
 * @param resamples bootstrap resamples
 */
public record LiveComparison(double margin, int resamples) {
  private static final double TAIL = 0.025;

  /**
   * Compares by rater.
   *
   * @param now what each rater says on average of the new version
   * @param before likewise of the version before
   * @param look counts from 1
   * @return {@code released} says whether the new version may stay
   */
  public GateDecision decide(
      double[] now,
      double[] before,
      int look,
      AdapterVersion version,
      AdapterVersion previous,
      long seed) {
    double tail = TAIL / (look * (look + 1.0));
    UnpairedBootstrap interval = UnpairedBootstrap.of(now, before, tail, resamples, seed);
    boolean worse = interval.difference() <= -margin && interval.high() < 0;
    double nowMean = Arrays.stream(now).average().orElseThrow();
    double beforeMean = Arrays.stream(before).average().orElseThrow();
    String reason =
        String.format(
            Locale.ROOT,
            "%s: the mean live rating is %.4f by %d raters of %s and %.4f by %d raters of %s, a"
                + " difference of %+.4f (%.4g%% interval %+.4f to %+.4f, look %d); a fall of %.4f that"
                + " is surely one rolls back.",
            worse ? "Rolled back" : "Kept",
            nowMean,
            now.length,
            PolicyGate.words(version),
            beforeMean,
            before.length,
            PolicyGate.words(previous),
            interval.difference(),
            100 * (1 - 2 * tail),
            interval.low(),
            interval.high(),
            look,
            margin);
    return GateDecision.newBuilder()
        .setReleased(!worse)
        .setMetric("mean live rating by raters")
        .setCandidateMean(nowMean)
        .setActiveMean(beforeMean)
        .setDifference(interval.difference())
        .setDifferenceLow(interval.low())
        .setDifferenceHigh(interval.high())
        .setRequiredMargin(margin)
        .setSampleSize(now.length)
        .setReason(reason)
        .setActive(previous)
        .build();
  }
}
