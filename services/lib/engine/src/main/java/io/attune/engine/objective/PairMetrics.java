package io.attune.engine.objective;

/** What is reported of a pair of answers, under trl's names. */
final class PairMetrics {
  private PairMetrics() {}

  /**
   * @param chosenReward what the policy's change says the chosen answer is worth
   * @param rejectedReward likewise
   * @param chosenLogProb in nats, of the whole answer or per token
   * @param rejectedLogProb likewise
   */
  static void add(
      Metrics metrics,
      double chosenReward,
      double rejectedReward,
      double chosenLogProb,
      double rejectedLogProb) {
    metrics
        .add("rewards/chosen", chosenReward)
        .add("rewards/rejected", rejectedReward)
        .add("rewards/margins", chosenReward - rejectedReward)
        .add("rewards/accuracies", chosenReward > rejectedReward ? 1 : 0)
        .add("logps/chosen", chosenLogProb)
        .add("logps/rejected", rejectedLogProb);
  }
}
