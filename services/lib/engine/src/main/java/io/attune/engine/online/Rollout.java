package io.attune.engine.online;

import io.attune.engine.rollout.Experience;
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
   * @param heldOutScore what a reward says of it that nothing is learnt from; null for none
   * @param judges who scored; scores of others are not compared with these
   */
  @SuppressWarnings("ArrayRecordComponent") // read-only by convention
  public record Origin(
      double[] logProbs, double score, @Nullable Double heldOutScore, String judges) {}

  public Rollout(Prompt prompt, int[] completionIds, String completion, boolean ended) {
    this(prompt, completionIds, completion, ended, null);
  }

  /** To be read, with nothing to learn from it. */
  Experience unlearnt() {
    double[] none = new double[completionIds.length];
    return new Experience(prompt.ids(), completionIds, none, none, null, null, null, null);
  }
}
