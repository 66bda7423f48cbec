package io.attune.engine.online;

import java.util.List;

/** Has the policy, as it is now, write to prompts. */
public interface RolloutSource {

  /**
   * Whether completions are written elsewhere, perhaps by an older policy, and bring their
   * log-probabilities: {@link Rollout#origin}.
   */
  default boolean isElsewhere() {
    return false;
  }

  /**
   * @param each completions of each prompt
   * @param purpose with {@code number} what makes chance differ from that of other calls; equal
   *     ones give equal completions of equal weights
   * @return completions of the first prompt, then of the second, ...
   */
  List<Rollout> write(List<Prompt> prompts, int each, String purpose, int number);
}
