package io.attune.training.trigger;

import java.time.Duration;
import java.util.Optional;

/**
 * When a round is due: enough new ratings, or enough time with at least some of them.
 *
 * @param ratings new ratings that start a round at once
 * @param interval time since the last round after which fewer will do
 * @param minimumRatings how many that is
 */
public record TriggerRule(long ratings, Duration interval, long minimumRatings) {
  /** Refuses rules that would start rounds of nothing. */
  public TriggerRule {
    if (ratings < 1 || minimumRatings < 1) {
      throw new IllegalArgumentException(
          "attune.training.trigger.ratings and .minimum-ratings must be 1 or more");
    }
  }

  /** Who starts a round now: "trigger:count", "trigger:time", or nobody. */
  Optional<String> due(long newRatings, Duration sinceLast) {
    if (newRatings >= ratings) {
      return Optional.of("trigger:count");
    }
    if (newRatings >= minimumRatings && sinceLast.compareTo(interval) >= 0) {
      return Optional.of("trigger:time");
    }
    return Optional.empty();
  }
}
