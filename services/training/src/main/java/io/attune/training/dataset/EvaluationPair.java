package io.attune.training.dataset;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Two held-out answers of which people found the first one better: what a reward model is examined
 * with. The two answer one prompt, or, where too few prompts have two rated answers, different
 * ones.
 *
 * @param group pairs of one group are not independent of each other and are averaged first
 */
public record EvaluationPair(String group, Item better, Item worse) {
  /**
   * An answer to score.
   *
   * @param prompt text, or an array of turns
   */
  public record Item(JsonNode prompt, String completion) {}
}
