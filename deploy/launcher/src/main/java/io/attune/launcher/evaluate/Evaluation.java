package io.attune.launcher.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.evaluate.Bootstrap;
import io.attune.engine.evaluate.Likelihood;
import io.attune.engine.evaluate.Metric;
import io.attune.engine.evaluate.Statistics;
import io.attune.launcher.local.Progress;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Measures a system, and another one on the same rows. */
public final class Evaluation {
  private static final Set<Metric> OF_TOKENS =
      Set.of(Likelihood.LOSS, Likelihood.PERPLEXITY, Likelihood.TOKEN_ACCURACY);

  private final ReadingSettings reading;
  private final Bootstrap bootstrap;
  private final Progress progress;

  public Evaluation(ReadingSettings reading, Bootstrap bootstrap, Progress progress) {
    this.reading = reading;
    this.bootstrap = bootstrap;
    this.progress = progress;
  }

  /**
   * Measures.
   *
   * @param tasks at least one
   * @param baseline what the system is compared with, or null
   * @param settings of the metrics and of how answers are written
   */
  public Outcome run(
      Set<Task> tasks,
      Subject system,
      @Nullable Subject baseline,
      EvaluationData data,
      TaskSettings settings) {
    Set<Task> left = EnumSet.copyOf(tasks);
    List<Result> results = new ArrayList<>();
    if (system instanceof RewardSubject scorer) {
      requireRows(data, "rewards");
      var pass = new RewardPass(reading, progress);
      started(system, "scoring", data);
      List<Measurement> theirs =
          baseline instanceof RewardSubject other ? pass.measure(other, data, false) : null;
      List<Measurement> ours = pass.measure(scorer, data, theirs == null);
      return new Outcome(compared(ours, theirs), List.of(), List.of(), List.of());
    }
    Set<Task> own = EnumSet.of(Task.F1, Task.MCC);
    if (system.classifies()) {
      own.add(Task.ACCURACY);
    }
    own.retainAll(left);
    if (!own.isEmpty()) {
      requireRows(data, "classes");
      var pass = new ClassificationPass(reading, settings.classification(), progress);
      results.addAll(
          compared(
              pass.measure(started(system, "classifying", data), data, own),
              baseline == null
                  ? null
                  : pass.measure(started(baseline, "baseline", data), data, own)));
      left.removeAll(own);
    }
    if (left.contains(Task.PERPLEXITY) || left.contains(Task.ACCURACY)) {
      var pass = new LikelihoodPass(reading, progress);
      results.addAll(
          compared(
              pass.measure(started(system, "reading", data), data, left),
              baseline == null
                  ? null
                  : pass.measure(started(baseline, "baseline", data), data, left)));
    }
    if (left.stream().noneMatch(Task::writes)) {
      return new Outcome(results, List.of(), List.of(), List.of());
    }
    requireRows(data, "answers");
    system.requireWriter(settings.writing());
    var pass = new GenerationPass(settings.writing(), settings.metrics(left), progress);
    List<String> references = GenerationPass.references(data);
    List<String> answers = pass.write(started(system, "answering", data), data);
    List<String> theirs =
        baseline == null ? List.of() : pass.write(started(baseline, "baseline", data), data);
    results.addAll(
        compared(
            pass.measure(answers, references),
            baseline == null ? null : pass.measure(theirs, references)));
    return new Outcome(results, references, answers, theirs);
  }

  /**
   * By how much a system finds a text less likely than the one that it was trained from: the rise
   * of the loss in nats per token.
   */
  public Result forgetting(Subject system, Subject baseline, EvaluationData general) {
    var pass = new LikelihoodPass(reading, progress);
    Statistics now = pass.texts(started(system, "general text", general), general);
    Statistics before = pass.texts(started(baseline, "baseline", general), general);
    String unit = general.isText() ? "windows" : "rows";
    return result(
        new Measurement(Likelihood.LOSS, now, "", unit),
        new Measurement(Likelihood.LOSS, before, "", unit));
  }

  private Subject started(Subject subject, String what, EvaluationData data) {
    progress.stage(what + ", " + data.file().getFileName());
    return subject;
  }

  private static void requireRows(EvaluationData data, String what) {
    if (data.isText()) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          data.file() + " is plain text; " + what + " are measured on rows (.jsonl or .json)");
    }
  }

  private List<Result> compared(List<Measurement> system, @Nullable List<Measurement> baseline) {
    List<Result> results = new ArrayList<>();
    for (int i = 0; i < system.size(); i++) {
      results.add(result(system.get(i), baseline == null ? null : baseline.get(i)));
    }
    return results;
  }

  private Result result(Measurement ours, @Nullable Measurement theirs) {
    if (theirs != null && OF_TOKENS.contains(ours.metric())) {
      requireSameTokens(ours.rows(), theirs.rows());
    }
    return new Result(
        ours.metric().name(),
        ours.rows().rows(),
        ours.unit(),
        ours.signature(),
        bootstrap.interval(ours.metric(), ours.rows()),
        theirs == null ? null : bootstrap.interval(ours.metric(), theirs.rows()),
        theirs == null ? null : bootstrap.difference(ours.metric(), ours.rows(), theirs.rows()));
  }

  private static void requireSameTokens(Statistics ours, Statistics theirs) {
    double[] tokens = new double[3];
    double[] other = new double[3];
    for (int row = 0; row < Math.min(ours.rows(), theirs.rows()); row++) {
      ours.addTo(tokens, row);
      theirs.addTo(other, row);
      if (tokens[2] != other[2]) {
        break;
      }
    }
    if (ours.rows() != theirs.rows() || tokens[2] != other[2]) {
      throw new EngineException(
          Reason.INCOMPATIBLE,
          "model and baseline split the texts into other tokens, so that their likelihoods cannot be"
              + " compared; compare what they write (bleu, chrf, rouge, exact_match)");
    }
  }
}
