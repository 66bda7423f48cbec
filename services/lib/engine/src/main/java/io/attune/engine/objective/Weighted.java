package io.attune.engine.objective;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An objective whose examples do not all count alike:
 *
 * <pre>loss = sum over examples of w(e) loss(e) / sum over examples of what each counts unweighted
 * </pre>
 *
 * <p>The divisor has no weights: a step of light examples moves little, also where it has one
 * example alone. Weights of mean 1 leave the learning rate's meaning as it is.
 *
 * <p>Assumes that a part of the objective's loss is an example's own; see {@link
 * Objective#weightedLoss}.
 */
public final class Weighted<E> implements Objective<WeightedExample<E>> {
  private final Objective<E> objective;

  /**
   * @throws IllegalArgumentException if the objective knows no loss of an example's own
   */
  public Weighted(Objective<E> objective) {
    if (!objective.takesWeights()) {
      throw new IllegalArgumentException(
          "rows have a 'weight', but "
              + objective.getClass().getSimpleName()
              + " compares the rows of a batch with each other; leave the weights out");
    }
    this.objective = objective;
  }

  @Override
  public Readout readout() {
    return objective.readout();
  }

  @Override
  public boolean usesReference() {
    return objective.usesReference();
  }

  @Override
  public double labelSmoothing() {
    return objective.labelSmoothing();
  }

  @Override
  public List<Sequence> sequences(WeightedExample<E> example) {
    return objective.sequences(example.example());
  }

  @Override
  public double weight(WeightedExample<E> example) {
    return objective.weight(example.example());
  }

  @Override
  public Loss loss(
      List<WeightedExample<E>> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    return objective.weightedLoss(
        examples.stream().map(WeightedExample::example).toList(),
        examples.stream().mapToDouble(WeightedExample::weight).toArray(),
        policy,
        reference,
        normaliser);
  }
}
