package io.attune.engine.train;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Reading;
import io.attune.engine.tensor.Seed;
import io.attune.engine.tensor.Torch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The one loop: rows of a step, gradients of its micro-batches, clip, update, metrics, checkpoint.
 *
 * <p>Single-threaded.
 */
public final class TrainingLoop<E> {
  private final TrainingArguments arguments;
  private final Policy policy;
  private final Objective<E> objective;
  private final List<E> examples;
  private final Reader<E> reader;
  private final EvaluationArguments evaluation;
  private final AlarmSettings alarmSettings;
  private final Supplier<Map<String, Double>> evaluator;
  private final DataOrder order;
  private final Map<Integer, List<Reading>> referenceByRow = new LinkedHashMap<>();
  private int done;

  public TrainingLoop(
      TrainingArguments arguments, Policy policy, Objective<E> objective, List<E> examples) {
    this(arguments, policy, objective, examples, Batching.DEFAULT);
  }

  public TrainingLoop(
      TrainingArguments arguments,
      Policy policy,
      Objective<E> objective,
      List<E> examples,
      Batching batching) {
    this(
        arguments,
        policy,
        objective,
        examples,
        batching,
        AlarmSettings.DEFAULT,
        EvaluationArguments.NONE,
        Map::of);
  }

  /**
   * @param evaluator metrics of the policy as it is, on held-out rows
   */
  public TrainingLoop(
      TrainingArguments arguments,
      Policy policy,
      Objective<E> objective,
      List<E> examples,
      Batching batching,
      AlarmSettings alarms,
      EvaluationArguments evaluation,
      Supplier<Map<String, Double>> evaluator) {
    if (examples.isEmpty()) {
      throw new EngineException(Reason.TOO_LITTLE_DATA, "there is no row to train on");
    }
    this.arguments = arguments;
    this.policy = policy;
    this.objective = objective;
    this.examples = examples;
    this.alarmSettings = alarms;
    this.evaluation = evaluation;
    this.evaluator = evaluator;
    this.reader = new Reader<>(policy, objective);
    this.order =
        new DataOrder(examples.size(), arguments, batching, i -> reader.longest(examples.get(i)));
  }

  /**
   * Trains to the end, from the newest checkpoint in {@code folder} if there is one.
   *
   * @param fingerprint identifies the run; a checkpoint of another one is refused
   * @param steps hears of every step
   * @param notices hears what a person should know
   * @param cancelled asked before every step
   * @return metrics of the last step that this call made, null if none was left to do
   */
  public StepMetrics run(
      Path folder,
      String fingerprint,
      Consumer<StepMetrics> steps,
      Consumer<String> notices,
      BooleanSupplier cancelled) {
    return run(new RunContext(folder, fingerprint, steps, notices, cancelled));
  }

  /** As the other. */
  public StepMetrics run(RunContext context) {
    StepMetrics last = null;
    try (Learner<E> learner = new Learner<>(arguments, policy, objective)) {
      Progress progress =
          new Progress(
              context,
              arguments,
              evaluation,
              alarmSettings,
              learner.state(),
              totalSteps(),
              arguments.stepsPerEpoch(order.rows()));
      done = progress.done();
      while (progress.goesOn()) {
        progress.heedCancel();
        last = progress.finish(step(progress, learner), true, evaluator);
        done = progress.done();
      }
      progress.end(policy.trainable());
    }
    return last;
  }

  /**
   * Lets {@link #run} go on from a checkpoint of another run, unless {@code folder} has one.
   *
   * @param fingerprint of this run
   * @param notices hears where it starts
   */
  public static void startFrom(
      Path checkpoint, Path folder, String fingerprint, Consumer<String> notices) {
    new Checkpoints(folder, fingerprint, notices).adopt(checkpoint);
  }

  /** Steps of the whole run that are done: all, or fewer where it stopped early. */
  public int steps() {
    return done;
  }

  private int totalSteps() {
    return arguments.totalSteps(order.rows());
  }

  private StepMetrics step(Progress progress, Learner<E> learner) {
    long began = System.nanoTime();
    int step = progress.done();
    Torch.seed(Seed.derive(arguments.seed(), step));
    List<Learner.MicroBatch<E>> microBatches = new ArrayList<>();
    for (int[] rows : order.microBatches(step)) {
      microBatches.add(
          new Learner.MicroBatch<>(
              pick(rows), objective.usesReference() ? () -> reference(rows) : null));
    }
    double normaliser = learner.weight(microBatches);
    if (normaliser == 0) {
      throw new EngineException(
          Reason.TOO_LITTLE_DATA, "step " + (step + 1) + ": its rows have no token to learn");
    }
    Learner.Gradients gradients = learner.gradients(microBatches, normaliser);
    boolean updates = progress.check(step + 1, gradients.loss(), gradients.norm());
    double learningRate = learner.update(step, progress.total(), gradients, updates);
    double seconds = (System.nanoTime() - began) / 1e9;
    return new StepMetrics(
        step + 1,
        progress.total(),
        (step + 1.0) / arguments.stepsPerEpoch(order.rows()),
        gradients.loss(),
        gradients.norm(),
        learningRate,
        gradients.tokens(),
        progress.numTokens() + gradients.tokens(),
        gradients.tokens() / seconds,
        ProcessMemory.peakBytes(),
        gradients.metrics().means());
  }

  /**
   * Readings of the reference policy. Over several epochs each row is read once, by itself: in
   * company its last bits would depend on the step, and a resumed run on where it was interrupted.
   */
  private List<Reading> reference(int[] rows) {
    boolean repeats = totalSteps() > arguments.stepsPerEpoch(order.rows());
    if (!repeats) {
      return reader.read(pick(rows), true);
    }
    List<Reading> result = new ArrayList<>();
    for (int row : rows) {
      result.addAll(
          referenceByRow.computeIfAbsent(
              row, r -> List.copyOf(reader.read(List.of(examples.get(r)), true))));
    }
    return result;
  }

  private List<E> pick(int[] rows) {
    List<E> batch = new ArrayList<>();
    for (int row : rows) {
      batch.add(examples.get(row));
    }
    return batch;
  }
}
