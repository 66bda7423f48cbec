package io.attune.engine.online;

import org.jspecify.annotations.Nullable;

/**
 * A completion that the policy wrote to a prompt.
 *
 * @param completionIds at least one token; the end-of-sequence token last, if it was written
 * @param completion their text, without special tokens
 * @param ended whether it ended by itself, and was not cut off
 * @param origin what came with it from elsewhere; null where this run wrote it
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
public record Rollout(
    Prompt prompt, int[] completionIds, String completion, boolean ended, @Nullable Origin origin) {

  /**
   * What came with a completion.
   *
   * @param logProbs of its tokens under the policy that wrote them, perhaps an older one
   * @param score what it is worth
   */
  @SuppressWarnings("ArrayRecordComponent") // read-only by convention
  public record Origin(double[] logProbs, double score) {}

  public Rollout(Prompt prompt, int[] completionIds, String completion, boolean ended) {
    this(prompt, completionIds, completion, ended, null);
  }
}
