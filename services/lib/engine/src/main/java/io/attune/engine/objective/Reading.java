package io.attune.engine.objective;

import java.util.Arrays;

/**
 * What a model says about one sequence.
 *
 * @param values the log-probability of each target token, or the logits of each place in turn (one
 *     number for a score)
 * @param correct for each target token whether it was the likeliest; empty for logits
 * @param entropies for each target token that of the distribution it was taken from, in nats; empty
 *     where an objective does not ask for them
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never kept
public record Reading(double[] values, boolean[] correct, double[] entropies) {

  public Reading(double[] values, boolean[] correct) {
    this(values, correct, new double[0]);
  }

  /** Log-probability of all target tokens together. */
  public double sum() {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  /** Log-probability per target token. */
  public double mean() {
    return sum() / values.length;
  }

  int length() {
    return values.length;
  }

  /** Of the last {@code count} target tokens, or all where there are fewer. */
  Reading last(int count) {
    int from = Math.max(0, values.length - count);
    return new Reading(
        Arrays.copyOfRange(values, from, values.length),
        Arrays.copyOfRange(correct, Math.min(from, correct.length), correct.length));
  }

  /** A derivative that is the same for every target token. */
  double[] gradient(double slope) {
    double[] gradient = new double[values.length];
    Arrays.fill(gradient, slope);
    return gradient;
  }
}
