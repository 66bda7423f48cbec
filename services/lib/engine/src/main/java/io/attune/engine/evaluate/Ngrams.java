package io.attune.engine.evaluate;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Counts of n-grams. */
final class Ngrams {
  private Ngrams() {}

  /**
   * Of words, joined by spaces; words have none in them.
   *
   * @param order words of an n-gram
   */
  static Map<String, Integer> ofWords(List<String> words, int order) {
    Map<String, Integer> counts = new HashMap<>();
    for (int i = 0; i + order <= words.size(); i++) {
      counts.merge(String.join(" ", words.subList(i, i + order)), 1, Integer::sum);
    }
    return counts;
  }

  /**
   * Of characters.
   *
   * @param text as code points
   * @param order characters of an n-gram
   */
  static Map<String, Integer> ofCharacters(int[] text, int order) {
    Map<String, Integer> counts = new HashMap<>();
    for (int i = 0; i + order <= text.length; i++) {
      counts.merge(new String(text, i, order), 1, Integer::sum);
    }
    return counts;
  }

  /** How many n-grams there are. */
  static int total(Map<String, Integer> counts) {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** How many n-grams two texts have in common, each as often as it is in both. */
  static int common(Map<String, Integer> a, Map<String, Integer> b) {
    int common = 0;
    for (Map.Entry<String, Integer> entry : a.entrySet()) {
      common += Math.min(entry.getValue(), b.getOrDefault(entry.getKey(), 0));
    }
    return common;
  }
}
