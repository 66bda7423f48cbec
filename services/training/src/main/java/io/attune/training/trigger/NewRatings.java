package io.attune.training.trigger;

import io.attune.platform.telemetry.TraceParent;

/**
 * Ratings of a data set that were not counted before.
 *
 * @param traceparent of the newest of them whose trace is recorded, else of the first; null where
 *     none has a trace
 */
record NewRatings(long count, String traceparent) {

  /** These and later ones. */
  NewRatings and(NewRatings later) {
    boolean takesOver = traceparent == null || TraceParent.isSampled(later.traceparent);
    return new NewRatings(count + later.count, takesOver ? later.traceparent : traceparent);
  }
}
