package io.attune.engine.generate;

import java.util.Arrays;

/**
 * The likeliest tokens of one place, by descending logit; equal ones by ascending id, so that what
 * is kept of them does not depend on how many were fetched.
 *
 * @param ids the tokens
 * @param logits theirs
 * @param whole whether these are all tokens; else every token that is missing has a smaller logit
 */
@SuppressWarnings("ArrayRecordComponent") // made and read in one place
record Candidates(int[] ids, float[] logits, boolean whole) {

  /**
   * @param ids and {@code logits}: by descending logit, equal ones in any order
   * @param vocabulary how many tokens there are
   */
  static Candidates of(long[] ids, float[] logits, int vocabulary) {
    boolean whole = logits.length == vocabulary;
    int certain = logits.length;
    if (!whole) {
      // Of those that equal the last, others may be missing.
      while (certain > 0 && logits[certain - 1] == logits[logits.length - 1]) {
        certain--;
      }
    }
    for (int from = 0; from < certain; ) {
      int to = from + 1;
      while (to < certain && logits[to] == logits[from]) {
        to++;
      }
      Arrays.sort(ids, from, to);
      from = to;
    }
    int[] ordered = new int[certain];
    for (int i = 0; i < certain; i++) {
      ordered[i] = (int) ids[i];
    }
    return new Candidates(ordered, Arrays.copyOf(logits, certain), whole);
  }

  int size() {
    return ids.length;
  }
}
