package io.attune.engine.objective;

/**
 * What a model says about one sequence.
 *
 * @param values the log-probability of each target token, or the logits of each place in turn (one
 *     number for a score)
 * @param correct for each target token whether it was the likeliest; empty for logits
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never kept
public record Reading(double[] values, boolean[] correct) {

  /** Log-probability of all target tokens together. */
  public double sum() {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }
}
