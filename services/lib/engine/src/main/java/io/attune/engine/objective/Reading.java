package io.attune.engine.objective;

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
}
