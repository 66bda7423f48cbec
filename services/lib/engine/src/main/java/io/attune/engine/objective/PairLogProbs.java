package io.attune.engine.objective;

/**
 * Log-probabilities of a pair's whole answers, in nats.
 *
 * @param policyChosen of the chosen answer under the policy
 * @param policyRejected of the rejected one
 * @param referenceChosen of the chosen answer under the reference
 * @param referenceRejected of the rejected one
 * @param chosenTokens how many tokens the chosen answer has, at least 1
 * @param rejectedTokens likewise
 */
public record PairLogProbs(
    double policyChosen,
    double policyRejected,
    double referenceChosen,
    double referenceRejected,
    int chosenTokens,
    int rejectedTokens) {

  /** How much likelier the policy finds the chosen answer than the reference does. */
  public double chosenRatio() {
    return policyChosen - referenceChosen;
  }

  /** How much likelier the policy finds the rejected answer than the reference does. */
  public double rejectedRatio() {
    return policyRejected - referenceRejected;
  }
}
