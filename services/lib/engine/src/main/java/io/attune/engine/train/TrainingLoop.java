package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Metrics;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Reading;
import io.attune.engine.optim.GroupedOptimizer;
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
    Checkpoints checkpoints = new Checkpoints(folder, fingerprint, notices);
    int total = totalSteps();
    StepMetrics last = null;
    try (GroupedOptimizer optimizer = optimizer()) {
      Map<String, NDArray> state = new LinkedHashMap<>(policy.trainable());
      state.putAll(optimizer.state());
      Checkpoints.State start = checkpoints.restore(state);
      if (start.step() > 0) {
        notices.accept("resuming after step " + start.step());
      }
      MetricsFile file = new MetricsFile(folder, start.step());
      Selection selection = new Selection(evaluation, start.selection());
      Alarms alarms = new Alarms(alarmSettings, start.alarms(), checkpoints::newestUpTo);
      boolean pruned = false;
      long numTokens = start.numTokens();
      done = start.step();
      for (int step = start.step(); step < total && !selection.stops(); step++) {
        if (cancelled.getAsBoolean()) {
          if (arguments.saveSteps() > 0 && step > start.step()) {
            checkpoints.save(
                new Checkpoints.State(step, numTokens, selection.state(), alarms.state()), state);
          }
          throw new EngineException(Reason.CANCELLED, "cancelled after step " + step);
        }
        last = step(step, total, numTokens, order.microBatches(step), optimizer, alarms);
        if (!pruned && !alarms.isSuspicious()) {
          // Only now is it known that the newest one's weights are good.
          checkpoints.prune(step, arguments.saveTotalLimit());
          pruned = true;
        }
        numTokens = last.numTokens();
        done = step + 1;
        boolean best = false;
        if (evaluation.due(done, arguments.stepsPerEpoch(order.rows()))) {
          Map<String, Double> metrics = evaluator.get();
          best = selection.take(done, metrics) && evaluation.loadBestModelAtEnd();
          last = last.withEvaluation(metrics);
        }
        file.append(last);
        steps.accept(last);
        boolean ends = done == total || selection.stops();
        if (arguments.saveSteps() > 0 && (best || ends || done % arguments.saveSteps() == 0)) {
          checkpoints.save(
              new Checkpoints.State(done, numTokens, selection.state(), alarms.state()), state);
          pruned = false;
        }
      }
      if (!pruned && !alarms.isSuspicious()) {
        checkpoints.prune(done, arguments.saveTotalLimit());
      }
      if (selection.stops()) {
        notices.accept("stopped early after step " + done + "; best was " + selection);
      }
      if (selection.takesBest()) {
        checkpoints.restoreBest(selection.state().bestStep(), policy.trainable());
        notices.accept("took the weights of the best evaluation: " + selection);
      }
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

  private GroupedOptimizer optimizer() {
    return arguments
        .optimizer()
        .create(
            arguments.learningRate(),
            policy.trainable(),
            policy.network().model(),
            arguments.seed());
  }

  private StepMetrics step(
      int step,
      int total,
      long numTokens,
      List<int[]> microBatches,
      GroupedOptimizer optimizer,
      Alarms alarms) {
    long began = System.nanoTime();
    Torch.seed(Seed.derive(arguments.seed(), step));
    double normaliser = 0;
    for (int[] rows : microBatches) {
      normaliser += pick(rows).stream().mapToDouble(objective::weight).sum();
    }
    if (normaliser == 0) {
      throw new EngineException(
          Reason.TOO_LITTLE_DATA, "step " + (step + 1) + ": its rows have no token to learn");
    }
    double loss = 0;
    long tokens = 0;
    Metrics metrics = new Metrics();
    for (int[] rows : microBatches) {
      List<E> batch = pick(rows);
      List<Reading> reference = objective.usesReference() ? reference(rows) : null;
      Loss part = reader.forwardBackward(batch, reference, normaliser);
      loss += part.value();
      metrics.addAll(part.metrics());
      tokens += reader.tokens(batch);
    }
    double norm = optimizer.gradientNorm();
    boolean updates = alarms.check(step + 1, loss, norm);
    double peak = arguments.learningRate();
    double factor = arguments.lrSchedulerType().factor(peak, step, arguments.warmupSteps(), total);
    if (updates) {
      optimizer.step(factor, norm);
    } else {
      optimizer.skip();
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    double epoch = (step + 1.0) / arguments.stepsPerEpoch(order.rows());
    return new StepMetrics(
        step + 1,
        total,
        epoch,
        loss,
        norm,
        optimizer.learningRate(peak * factor),
        tokens,
        numTokens + tokens,
        tokens / seconds,
        ProcessMemory.peakBytes(),
        metrics.means());
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
