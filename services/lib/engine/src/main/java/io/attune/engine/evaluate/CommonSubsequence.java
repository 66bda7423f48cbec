package io.attune.engine.evaluate;

import java.util.BitSet;
import java.util.List;

/** Longest common subsequences of two lists of words, by dynamic programming. */
final class CommonSubsequence {
  private CommonSubsequence() {}

  static int length(List<String> a, List<String> b) {
    int[] above = new int[b.size() + 1];
    for (String word : a) {
      above = next(above, word, b);
    }
    return above[b.size()];
  }

  /**
   * Places in {@code a} of one longest common subsequence: of several the one that rouge-score
   * takes, which goes back along {@code a} where both ways are as long.
   */
  static BitSet places(List<String> a, List<String> b) {
    int[][] lengths = new int[a.size() + 1][];
    lengths[0] = new int[b.size() + 1];
    for (int i = 0; i < a.size(); i++) {
      lengths[i + 1] = next(lengths[i], a.get(i), b);
    }
    BitSet places = new BitSet();
    int i = a.size();
    int j = b.size();
    while (i > 0 && j > 0) {
      if (a.get(i - 1).equals(b.get(j - 1))) {
        places.set(i - 1);
        i--;
        j--;
      } else if (lengths[i][j - 1] > lengths[i - 1][j]) {
        j--;
      } else {
        i--;
      }
    }
    return places;
  }

  /** Lengths with every beginning of {@code b} once {@code word} is added to the other list. */
  private static int[] next(int[] above, String word, List<String> b) {
    int[] row = new int[b.size() + 1];
    for (int j = 1; j <= b.size(); j++) {
      row[j] = word.equals(b.get(j - 1)) ? above[j - 1] + 1 : Math.max(above[j], row[j - 1]);
    }
    return row;
  }
}
