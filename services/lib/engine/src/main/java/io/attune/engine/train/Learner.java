package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Metrics;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Reading;
import io.attune.engine.optim.GroupedOptimizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What makes a policy learn an objective, step by step: gradients of micro-batches, then an update
 * by an optimizer of its own.
 *
 * <p>Single-threaded.
 */
public final class Learner<E> implements AutoCloseable {
  private final TrainingArguments arguments;
  private final Policy policy;
  private final Objective<E> objective;
  private final Reader<E> reader;
  private final GroupedOptimizer optimizer;

  /**
   * @param arguments with the optimizer, the peak learning rate and the seed
   */
  public Learner(TrainingArguments arguments, Policy policy, Objective<E> objective) {
    this.arguments = arguments;
    this.policy = policy;
    this.objective = objective;
    this.reader = new Reader<>(policy, objective);
    this.optimizer =
        arguments
            .optimizer()
            .create(
                arguments.learningRate(),
                policy.trainable(),
                policy.network().model(),
                arguments.seed());
  }

  /**
   * What is read at once.
   *
   * @param reference gives the readings of the reference policy; null where the objective uses none
   */
  public record MicroBatch<E>(List<E> examples, @Nullable Supplier<List<Reading>> reference) {
    public MicroBatch {
      examples = List.copyOf(examples);
    }
  }

  /**
   * What the micro-batches of a step said.
   *
   * @param norm of all gradients together, before clipping
   * @param tokens read
   */
  public record Gradients(double loss, double norm, long tokens, Metrics metrics) {}

  /** The sum of the examples' weights, by which their loss is divided. */
  public double weight(List<MicroBatch<E>> microBatches) {
    double sum = 0;
    for (MicroBatch<E> batch : microBatches) {
      sum += batch.examples().stream().mapToDouble(objective::weight).sum();
    }
    return sum;
  }

  /**
   * Collects the gradients of a step.
   *
   * @param normaliser what {@link #weight} gave, above 0
   */
  public Gradients gradients(List<MicroBatch<E>> microBatches, double normaliser) {
    double loss = 0;
    long tokens = 0;
    Metrics metrics = new Metrics();
    for (MicroBatch<E> batch : microBatches) {
      List<Reading> reference = batch.reference() == null ? null : batch.reference().get();
      Loss part = reader.forwardBackward(batch.examples(), reference, normaliser);
      loss += part.value();
      metrics.addAll(part.metrics());
      tokens += reader.tokens(batch.examples());
    }
    return new Gradients(loss, optimizer.gradientNorm(), tokens, metrics);
  }

  /**
   * Updates the weights by the collected gradients.
   *
   * @param step steps done before
   * @param total of the whole run
   * @param updates whether they may change; else the gradients are dropped
   * @return the learning rate
   */
  public double update(int step, int total, Gradients gradients, boolean updates) {
    double peak = arguments.learningRate();
    double factor = arguments.lrSchedulerType().factor(peak, step, arguments.warmupSteps(), total);
    if (updates) {
      optimizer.step(factor, gradients.norm());
    } else {
      optimizer.skip();
    }
    return optimizer.learningRate(peak * factor);
  }

  /** The learning rate of a step that has nothing to learn. */
  public double rest(int step, int total) {
    double peak = arguments.learningRate();
    return optimizer.learningRate(
        peak * arguments.lrSchedulerType().factor(peak, step, arguments.warmupSteps(), total));
  }

  /** Reads as the objective asks for, with the policy or its reference, without recording. */
  public List<Reading> read(List<E> examples, boolean reference) {
    return reader.read(examples, reference);
  }

  /** Trained weights and the optimizer's state, for a checkpoint; the live arrays. */
  public Map<String, NDArray> state() {
    Map<String, NDArray> state = new LinkedHashMap<>(policy.trainable());
    state.putAll(optimizer.state());
    return state;
  }

  /** The weights stay. */
  @Override
  public void close() {
    optimizer.close();
  }
}
