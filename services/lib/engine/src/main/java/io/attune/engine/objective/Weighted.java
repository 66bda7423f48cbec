package io.attune.engine.objective;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An objective whose examples do not all count alike:
 *
 * <pre>loss = sum over examples of w(e) loss(e) / sum over examples of what each counts unweighted</pre>
 *
 * <p>The divisor has no weights: a step of light examples moves little, also where it has one example
 * alone. Weights of mean 1 leave the learning rate's meaning as it is.
 *
 * <p>Assumes that the objective's loss is a sum over examples, each seen alone.
 */
public final class Weighted<E> implements Objective<WeightedExample<E>> {
  private final Objective<E> objective;

  /**
   * @throws IllegalArgumentException if an example's loss depends on the others of its batch
   */
  public Weighted(Objective<E> objective) {
    if (!objective.sumsOverExamples()) {
      throw new IllegalArgumentException(
          "rows have a 'weight', but "
              + objective.getClass().getSimpleName()
              + " looks at the rows of a batch together; leave the weights out");
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
    double value = 0;
    List<double[]> gradient = new ArrayList<>();
    Metrics metrics = new Metrics();
    int each = policy.size() / Math.max(1, examples.size());
    for (int i = 0; i < examples.size(); i++) {
      int from = i * each;
      Loss own =
          objective.loss(
              List.of(examples.get(i).example()),
              policy.subList(from, from + each),
              reference == null ? null : reference.subList(from, from + each),
              normaliser / examples.get(i).weight());
      value += own.value();
      gradient.addAll(List.of(own.gradient()));
      metrics.addAll(own.metrics());
    }
    return new Loss(value, gradient.toArray(double[][]::new), metrics);
  }
}
