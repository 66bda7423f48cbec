package io.attune.engine.objective;

/**
 * How much likelier a policy finds a pair's answers than the reference does.
 *
 * @param chosen log(policy / reference) of the whole chosen answer, in nats
 * @param rejected of the rejected one
 * @param chosenTokens how many tokens the chosen answer has, at least 1
 * @param rejectedTokens likewise
 */
public record LogRatios(double chosen, double rejected, int chosenTokens, int rejectedTokens) {

  static LogRatios of(PairLogProbs pair) {
    return new LogRatios(
        pair.chosenRatio(), pair.rejectedRatio(), pair.chosenTokens(), pair.rejectedTokens());
  }

  /** For losses that look at the margin alone. */
  static LogRatios ofMargin(double margin) {
    return new LogRatios(margin, 0, 1, 1);
  }

  double margin() {
    return chosen - rejected;
  }

  LogRatios with(double otherChosen, double otherRejected) {
    return new LogRatios(otherChosen, otherRejected, chosenTokens, rejectedTokens);
  }
}
