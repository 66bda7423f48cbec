package io.attune.engine.rollout;

import org.jspecify.annotations.Nullable;

/**
 * One completion that the policy wrote, and what is to be learnt from it. Every array but the
 * prompt has one entry for each token of the completion.
 *
 * @param promptIds at least one token
 * @param completionIds at least one token; with the end-of-sequence token, if it was written
 * @param oldLogProbs of the tokens under the policy whose update this is: what ratios compare with
 * @param advantages of the tokens; the same number throughout where a completion is judged as one
 * @param referenceLogProbs of the tokens under the reference policy; null where nothing needs them
 * @param returns what the values are to become; null without a value model
 * @param oldValues what the value model said before the update; null without one
 * @param importanceWeights how much likelier the tokens are under the policy of {@code oldLogProbs}
 *     than under an older one that wrote them ({@link ImportanceWeights}); null for 1
 */
@SuppressWarnings(
    "ArrayRecordComponent") // read-only by convention; copying every row costs too much
public record Experience(
    int[] promptIds,
    int[] completionIds,
    double[] oldLogProbs,
    double[] advantages,
    double @Nullable [] referenceLogProbs,
    double @Nullable [] returns,
    double @Nullable [] oldValues,
    double @Nullable [] importanceWeights) {

  /**
   * @throws IllegalArgumentException if prompt or completion is empty, an array has another length,
   *     a number is not finite, or an importance weight is negative
   */
  public Experience {
    if (promptIds.length == 0) {
      throw new IllegalArgumentException(
          "'promptIds' is empty; nothing would predict a completion");
    }
    if (completionIds.length == 0) {
      throw new IllegalArgumentException("'completionIds' is empty; leave the row out");
    }
    int length = completionIds.length;
    requireTokens("oldLogProbs", oldLogProbs, length);
    requireTokens("advantages", advantages, length);
    requireTokens("referenceLogProbs", referenceLogProbs, length);
    requireTokens("returns", returns, length);
    requireTokens("oldValues", oldValues, length);
    requireTokens("importanceWeights", importanceWeights, length);
    if (importanceWeights != null) {
      for (int t = 0; t < length; t++) {
        if (importanceWeights[t] < 0) {
          throw new IllegalArgumentException(
              "'importanceWeights' is "
                  + importanceWeights[t]
                  + " at token "
                  + t
                  + "; it must be"
                  + " >= 0");
        }
      }
    }
  }

  /** Tokens of the completion. */
  public int length() {
    return completionIds.length;
  }

  private static void requireTokens(String name, double @Nullable [] values, int length) {
    if (values == null) {
      return;
    }
    if (values.length != length) {
      throw new IllegalArgumentException(
          "'%s' has %d numbers for a completion of %d tokens"
              .formatted(name, values.length, length));
    }
    for (int t = 0; t < length; t++) {
      if (!Double.isFinite(values[t])) {
        throw new IllegalArgumentException(
            "'%s' is %s at token %d; it must be finite".formatted(name, values[t], t));
      }
    }
  }
}
