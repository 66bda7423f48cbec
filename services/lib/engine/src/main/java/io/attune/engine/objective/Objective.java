package io.attune.engine.objective;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A loss over examples of type {@code E}.
 *
 * <p>A training step may see its examples in several micro-batches; {@code normaliser} is the sum
 * of their weights, so that the gradients add up to that of one large batch.
 */
public interface Objective<E> {

  /** What a sequence is read for. */
  enum Readout {
    /** The log-probability of each target token. */
    LOG_PROBS,
    /** A head's result for the text, or for each of the places that are asked for. */
    LOGITS
  }

  Readout readout();

  /** Whether {@link #loss} compares with a reference policy. */
  boolean usesReference();

  /**
   * How much of each target token's probability is to be spread over the vocabulary:
   * log-probabilities are read as (1 - e) log p(token) + e mean of log p. Of {@link
   * Readout#LOG_PROBS} alone.
   */
  default double labelSmoothing() {
    return 0;
  }

  /** Whether examples may count differently: whether the loss has a part that is an example's. */
  default boolean takesWeights() {
    return true;
  }

  /**
   * What logits are divided by before log-probabilities are read: of texts that were drawn, the
   * temperature that they were drawn at. Of {@link Readout#LOG_PROBS} alone.
   */
  default double temperature() {
    return 1;
  }

  /** Whether {@link Reading#entropies} are wanted. Of {@link Readout#LOG_PROBS} alone. */
  default boolean readsEntropies() {
    return false;
  }

  /** The sequences that the model has to read for one example, always equally many. */
  List<Sequence> sequences(E example);

  /** What an example adds to the normaliser: its target tokens, or 1. */
  double weight(E example);

  /** What a person should know about all rows before they are learnt; null for nothing. */
  default @Nullable String advice(List<E> examples) {
    return null;
  }

  /**
   * The loss of a micro-batch, its derivative, and metrics.
   *
   * @param policy a reading for each sequence of each example, in order
   * @param reference likewise, of the reference policy; null unless {@link #usesReference}
   * @param normaliser what the sum over all examples of the step is divided by
   */
  Loss loss(
      List<E> examples, List<Reading> policy, @Nullable List<Reading> reference, double normaliser);

  /**
   * As {@link #loss}, each example's part multiplied by a weight. Here a part is what the example
   * would cost alone, over the same normaliser.
   *
   * @param weights one for each example, above 0
   */
  default Loss weightedLoss(
      List<E> examples,
      double[] weights,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    double value = 0;
    List<double[]> gradient = new ArrayList<>();
    Metrics metrics = new Metrics();
    int each = policy.size() / Math.max(1, examples.size()); // sequences
    for (int i = 0; i < examples.size(); i++) {
      int from = i * each;
      Loss own =
          loss(
              examples.subList(i, i + 1),
              policy.subList(from, from + each),
              reference == null ? null : reference.subList(from, from + each),
              normaliser / weights[i]);
      value += own.value();
      gradient.addAll(List.of(own.gradient()));
      metrics.addAll(own.metrics());
    }
    return new Loss(value, gradient.toArray(double[][]::new), metrics);
  }
}
