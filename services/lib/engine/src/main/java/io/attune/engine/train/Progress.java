package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * A run on its way: where it resumes, what is kept of each step, what stops it.
 *
 * <p>Several steps may belong together, so that only the state after the last of them can be taken
 * up again: a checkpoint or an evaluation that falls due among them waits for it.
 *
 * <p>Single-threaded.
 */
public final class Progress {
  private final RunContext context;
  private final TrainingArguments arguments;
  private final EvaluationArguments evaluation;
  private final Map<String, NDArray> tensors;
  private final int total;
  private final int stepsPerEpoch;
  private final Checkpoints checkpoints;
  private final MetricsFile file;
  private final Selection selection;
  private final Alarms alarms;
  private final int first;
  private final Map<String, Double> numbers;
  private long numTokens;
  private int done;

  /** Steps after which there last was a state to go on from. */
  private int whole;

  private boolean saveDue;
  private boolean pruned;

  /** The first of the latest steps that others than {@link Alarms} count; 0 for none. */
  private int suspectSince;

  /**
   * Goes on from the newest checkpoint, if there is one.
   *
   * @param tensors what a checkpoint holds; overwritten by it
   * @param total steps of the run
   * @param stepsPerEpoch after how many an evaluation of each epoch is due
   */
  public Progress(
      RunContext context,
      TrainingArguments arguments,
      EvaluationArguments evaluation,
      AlarmSettings alarms,
      Map<String, NDArray> tensors,
      int total,
      int stepsPerEpoch) {
    this.context = context;
    this.arguments = arguments;
    this.evaluation = evaluation;
    this.tensors = new LinkedHashMap<>(tensors); // in their order: it is that of the file
    this.total = total;
    this.stepsPerEpoch = stepsPerEpoch;
    checkpoints = new Checkpoints(context.folder(), context.fingerprint(), context.notices());
    Checkpoints.State start = checkpoints.restore(tensors);
    if (start.step() > 0) {
      context.notices().accept("resuming after step " + start.step());
    }
    file = new MetricsFile(context.folder(), start.step());
    selection = new Selection(evaluation, start.selection());
    this.alarms = new Alarms(alarms, start.alarms(), checkpoints::newestUpTo);
    first = start.step();
    done = first;
    whole = first;
    numTokens = start.numTokens();
    numbers = new TreeMap<>(start.numbers());
  }

  /** Steps done. */
  public int done() {
    return done;
  }

  public int total() {
    return total;
  }

  /** Tokens read since the start of the run. */
  public long numTokens() {
    return numTokens;
  }

  /** Whether there is a step left to do. */
  public boolean goesOn() {
    return done < total && !selection.stops();
  }

  /** A number that {@link #remember} was told, in this start or before the checkpoint. */
  public double recall(String name, double absent) {
    return numbers.getOrDefault(name, absent);
  }

  /** Keeps a number of the loop's own in checkpoints. */
  public void remember(String name, double value) {
    numbers.put(name, value);
  }

  /**
   * Judges a step before its update.
   *
   * @param step from 1
   * @return whether the step may change the weights
   * @throws EngineException if the run has to stop
   */
  public boolean check(int step, double loss, double norm) {
    return alarms.check(step, loss, norm);
  }

  /**
   * Says from which step on (from 1) there is a suspicion, so that no checkpoint from before is
   * deleted; 0 for none.
   */
  public void suspect(int since) {
    suspectSince = since;
  }

  /**
   * What to throw to stop the run before a step changes the weights.
   *
   * @param what happened
   * @param since first step of what led to it
   * @param advice which setting decided, and what else to do
   */
  public EngineException stop(int step, String what, int since, String advice) {
    return alarms.stop(step, what, since, advice);
  }

  /** Ends the run where it was cancelled; what was done is kept. Only between whole steps. */
  public void heedCancel() {
    if (context.cancelled().getAsBoolean()) {
      if (arguments.saveSteps() > 0 && done > first) {
        save();
      }
      throw new EngineException(Reason.CANCELLED, "cancelled after step " + done);
    }
  }

  /**
   * Writes down a step that is done, evaluates and saves if that is due.
   *
   * @param isWhole whether what the tensors hold can be gone on from; the last step's always can
   * @param evaluator metrics of the policy as it is, on held-out rows
   * @return the metrics with those of an evaluation
   */
  public StepMetrics finish(
      StepMetrics metrics, boolean isWhole, Supplier<Map<String, Double>> evaluator) {
    if (!pruned && !isSuspicious()) {
      // Only now is it known that the newest one's weights are good.
      checkpoints.prune(done, arguments.saveTotalLimit());
      pruned = true;
    }
    numTokens = metrics.numTokens();
    done = metrics.step();
    saveDue |= arguments.saveSteps() > 0 && done % arguments.saveSteps() == 0;
    boolean best = false;
    StepMetrics said = metrics;
    if (isWhole && evaluationDue()) {
      Map<String, Double> found = evaluator.get();
      best = selection.take(done, found) && evaluation.loadBestModelAtEnd();
      said = metrics.withEvaluation(found);
    }
    file.append(said);
    context.steps().accept(said);
    if (isWhole) {
      whole = done;
      if (arguments.saveSteps() > 0 && (best || saveDue || !goesOn())) {
        save();
        pruned = false;
        saveDue = false;
      }
    }
    return said;
  }

  private boolean isSuspicious() {
    return alarms.isSuspicious() || suspectSince > 0;
  }

  private boolean evaluationDue() {
    for (int step = whole + 1; step <= done; step++) {
      if (evaluation.due(step, stepsPerEpoch)) {
        return true;
      }
    }
    return false;
  }

  private void save() {
    checkpoints.save(
        new Checkpoints.State(done, numTokens, selection.state(), alarms.state(), numbers),
        tensors);
  }

  /**
   * Tidies up after the last step.
   *
   * @param trained weights; those of the best evaluation where they are asked for
   */
  public void end(Map<String, NDArray> trained) {
    if (!pruned && !isSuspicious()) {
      checkpoints.prune(done, arguments.saveTotalLimit());
    }
    if (selection.stops()) {
      context.notices().accept("stopped early after step " + done + "; best was " + selection);
    }
    if (selection.takesBest()) {
      checkpoints.restoreBest(selection.state().bestStep(), trained);
      context.notices().accept("took the weights of the best evaluation: " + selection);
    }
  }
}
