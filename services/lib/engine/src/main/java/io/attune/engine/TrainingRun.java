package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.data.RowFormat;
import io.attune.engine.data.TokenFile;
import io.attune.engine.data.WeightedRow;
import io.attune.engine.evaluate.HeldOut;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.OrdinalReward;
import io.attune.engine.objective.RewardLevels;
import io.attune.engine.objective.RewardObjective;
import io.attune.engine.objective.Weighted;
import io.attune.engine.objective.WeightedExample;
import io.attune.engine.online.OnlineObjective;
import io.attune.engine.online.OnlineSettings;
import io.attune.engine.online.RolloutExchange;
import io.attune.engine.quant.Quantizer;
import io.attune.engine.report.ReportSettings;
import io.attune.engine.train.DataSettings;
import io.attune.engine.train.Method;
import io.attune.engine.train.Parameters;
import io.attune.engine.train.Policy;
import io.attune.engine.train.QuantizationSettings;
import io.attune.engine.train.Reader;
import io.attune.engine.train.StepMetrics;
import io.attune.engine.train.TaskType;
import io.attune.engine.train.TrainingArguments;
import io.attune.engine.train.TrainingLoop;
import io.attune.engine.train.TrainingSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A training run from rows to an adapter: the one implementation behind the command line and the
 * training service.
 */
public final class TrainingRun {
  /** Training rows, evenly spread, that are scored to tell what scores of a reward model mean. */
  private static final int SCALE_ROWS = 2048;

  private final TrainingSpec spec;
  private final TrainingSettings settings;
  private final PretrainedModel model;
  private final TrainingData data;
  private final RunAudience audience;

  private TrainingRun(
      TrainingSpec spec,
      TrainingSettings settings,
      PretrainedModel model,
      TrainingData data,
      RunAudience audience) {
    this.spec = spec;
    this.settings = settings;
    this.model = model;
    this.data = data;
    this.audience = audience;
  }

  /**
   * Trains, or resumes the run that the same specification began in the same folder, and writes the
   * result.
   *
   * @throws EngineException whose reason says what kind of failure it was: settings and rows that
   *     are wrong, a diverging loss, a cancel
   */
  public static TrainingResult run(
      TrainingSpec spec, ProgressListener listener, CancelSignal cancel) {
    return run(spec, listener, cancel, null);
  }

  /**
   * As the other.
   *
   * @param exchange who writes and scores completions, for objectives that learn from these; null
   *     for this process
   */
  public static TrainingResult run(
      TrainingSpec spec,
      ProgressListener listener,
      CancelSignal cancel,
      @Nullable RolloutExchange exchange) {
    try {
      Method method = method(spec);
      Parameters parameters = new Parameters(spec.parameters());
      RowFormat format = DataSettings.format(parameters);
      boolean texts = spec.objective().equals("cpt");
      TrainingRows rows = new TrainingRows(spec.data(), format);
      Architecture described =
          PretrainedModel.architecture(HubLayout.of(spec.model()), LoadOptions.defaults());
      requireFits(method, described);
      OnlineObjective online = OnlineObjective.named(spec.objective()).orElse(null);
      try (TrainingTask task = TrainingTask.of(spec, described, rows)) {
        TrainingArguments arguments =
            settings(parameters, spec, method, task.assumedType(), List.of()).arguments();
        OnlineSettings onlineSettings =
            online == null ? null : OnlineSettings.parse(parameters, online, arguments);
        RunAudience audience = new RunAudience(reports(parameters, spec), listener, cancel);
        Quantizer quantizer = QuantizationSettings.parse(parameters, method);
        parameters.finish("objective " + spec.objective() + " with method " + spec.method());
        TrainingSettings settings =
            settings(parameters, spec, method, task.type(), task.modulesToSave());
        if (quantizer != null && settings.initWeights()) {
          throw new IllegalArgumentException("weights that start at random are not quantized");
        }
        if (settings.evaluation().enabled() && spec.evalData() == null) {
          throw new IllegalArgumentException(
              "'eval_strategy' is set, but there are no held-out rows to evaluate on; name a file"
                  + " of them");
        }
        settings.compute().require(described);
        LoadOptions options =
            new LoadOptions(settings.threads(), method == Method.FULL)
                .withQuantizer(quantizer)
                .withType(settings.compute().type());
        TrainingData data = new TrainingData(settings, format, listener);
        try (PretrainedModel model = task.load(settings, options)) {
          if (online != null) {
            return new OnlineRun(
                    spec,
                    settings,
                    onlineSettings,
                    (LanguageModel) model,
                    format,
                    audience,
                    exchange)
                .train();
          }
          TrainingRun run = new TrainingRun(spec, settings, model, data, audience);
          return texts
              ? run.train(task.textLesson(model, settings))
              : run.train(task.lesson(model, settings), rows.weighted());
        }
      }
    } catch (IllegalArgumentException e) {
      throw new EngineException(Reason.INVALID_ARGUMENT, e.getMessage(), e);
    }
  }

  private static Method method(TrainingSpec spec) {
    Method method = Method.named(spec.method());
    if (!method.isAdapter() && spec.initAdapter() != null) {
      throw new IllegalArgumentException(
          "method " + method + " does not continue an adapter; use lora");
    }
    return method;
  }

  private static TrainingSettings settings(
      Parameters in, TrainingSpec spec, Method method, TaskType type, List<String> modules) {
    return TrainingSettings.parse(
        in, spec.objective(), method, type, modules, spec.model().toString());
  }

  private static ReportSettings reports(Parameters in, TrainingSpec spec) {
    return ReportSettings.of(
        in.list("report_to", List.of()),
        in.text("logging_dir").orElse(null),
        in.text("run_name").orElse(null),
        spec.out(),
        System.getenv());
  }

  private static void requireFits(Method method, Architecture model) {
    if (method.hasVirtualTokens() && !(model instanceof DecoderModel)) {
      throw new IllegalArgumentException(
          "method " + method + " is not implemented for " + model.kind() + "; use lora");
    }
  }

  private <P, E> TrainingResult train(TrainingTask.Lesson<P, E> lesson, List<WeightedRow> rows) {
    Objective<E> objective = lesson.objective();
    List<WeightedExample<E>> examples = data.examples(spec.data(), rows, lesson);
    List<E> heldOut = spec.evalData() == null ? null : data.examples(spec.evalData(), lesson);
    List<E> equal = examples.stream().map(WeightedExample::example).toList();
    String advice = objective.advice(equal);
    if (advice != null) {
      audience.listener().onNotice(spec.data() + ": " + advice);
    }
    return rows.stream().anyMatch(row -> row.weight() != 1)
        ? train(new Weighted<>(objective), examples, objective, equal, heldOut)
        : train(objective, equal, objective, equal, heldOut);
  }

  private TrainingResult train(TrainingTask.TextLesson lesson) {
    try (TokenFile texts = texts(spec.data(), lesson, "train.tokens");
        TokenFile heldOut =
            spec.evalData() == null ? null : texts(spec.evalData(), lesson, "eval.tokens")) {
      return train(lesson.objective(), texts, lesson.objective(), texts, heldOut);
    }
  }

  private TokenFile texts(Path from, TrainingTask.TextLesson lesson, String store) {
    return data.texts(from, lesson.tokens(), spec.out().resolve(store));
  }

  /**
   * @param measured what held-out rows are measured by, which all count alike
   * @param learnt the examples as that takes them
   */
  private <E, H> TrainingResult train(
      Objective<E> objective,
      List<E> examples,
      Objective<H> measured,
      List<H> learnt,
      @Nullable List<H> heldOut) {
    Architecture architecture = model.architecture();
    boolean dropout = settings.task().dropout();
    boolean checkpointing = settings.compute().gradientCheckpointing();
    RunOutput output = new RunOutput(spec, settings, model);
    if (settings.adapter() == null) {
      Set<String> trained = settings.trained().of(architecture);
      if (method(spec) != Method.FULL && !settings.initWeights()) {
        model.weights().own(trained);
      }
      try (Weights reference = objective.usesReference() ? output.reference() : null;
          Policy policy =
              Policy.ofWeights(
                      architecture,
                      model.weights(),
                      reference == null ? model.weights() : reference,
                      trained,
                      dropout)
                  .withCheckpointing(checkpointing)) {
        TrainingLoop<E> loop = loop(policy, objective, examples, measured, heldOut);
        StepMetrics last = run(loop, output);
        output.writeModel(model.weights(), scale(policy, measured, learnt));
        return result(last, loop.steps(), evaluate(policy, measured, heldOut));
      }
    }
    try (Adapter adapter = adapter();
        Adapter start = spec.initAdapter() == null ? null : model.readAdapter(spec.initAdapter());
        Policy policy =
            Policy.ofAdapter(architecture, model.weights(), adapter, start, dropout)
                .withCheckpointing(checkpointing)) {
      TrainingLoop<E> loop = loop(policy, objective, examples, measured, heldOut);
      StepMetrics last = run(loop, output);
      output.writeAdapter(adapter, scale(policy, measured, learnt));
      return result(last, loop.steps(), evaluate(policy, measured, heldOut));
    }
  }

  private <E, H> TrainingLoop<E> loop(
      Policy policy,
      Objective<E> objective,
      List<E> examples,
      Objective<H> measured,
      @Nullable List<H> heldOut) {
    return new TrainingLoop<>(
        settings.arguments(),
        policy,
        objective,
        examples,
        settings.data().batching(),
        settings.alarms(),
        settings.evaluation(),
        () -> measure(policy, measured, heldOut));
  }

  private StepMetrics run(TrainingLoop<?> loop, RunOutput output) {
    return audience.during(
        spec.out(), output.fingerprint(), output.described(), settings.resumeFrom(), loop::run);
  }

  /** What the scores of a reward model mean, by those of its training rows; null for others. */
  private <E> @Nullable RewardScale scale(Policy policy, Objective<E> objective, List<E> rows) {
    if (!(objective instanceof RewardObjective<E> reward)) {
      return null;
    }
    double share = Math.max(1, rows.size() / (double) SCALE_ROWS);
    List<E> some = new ArrayList<>();
    for (double at = 0; at < rows.size(); at += share) {
      some.add(rows.get((int) at));
    }
    Reader<E> reader = new Reader<>(policy.forEvaluation(), objective);
    int batch = settings.arguments().perDeviceTrainBatchSize();
    RewardLevels levels = objective instanceof OrdinalReward ordinal ? ordinal.levels() : null;
    return RewardScale.of(HeldOut.scores(reader, reward, some, batch), levels);
  }

  private <E> Map<String, Double> measure(Policy policy, Objective<E> objective, List<E> rows) {
    return outcome(policy, objective, rows).metrics();
  }

  private <E> HeldOut.Outcome outcome(Policy policy, Objective<E> objective, List<E> rows) {
    return HeldOut.evaluate(
        new Reader<>(policy.forEvaluation(), objective),
        objective,
        rows,
        settings.arguments().perDeviceTrainBatchSize());
  }

  private TrainingResult result(
      @Nullable StepMetrics last, int steps, Map<String, Map<String, Double>> evaluation) {
    return new TrainingResult(
        spec.out(), steps, last == null ? Map.of() : last.values(), evaluation);
  }

  private Adapter adapter() {
    return spec.initAdapter() == null
        ? model.createAdapter(settings.adapter(), settings.arguments().seed())
        : model.readAdapter(spec.initAdapter());
  }

  private <E> Map<String, Map<String, Double>> evaluate(
      Policy policy, Objective<E> objective, @Nullable List<E> rows) {
    if (rows == null) {
      return Map.of();
    }
    Map<String, HeldOut.Outcome> evaluation = new LinkedHashMap<>();
    evaluation.put("candidate", outcome(policy, objective, rows));
    if (spec.baselineAdapter() != null) {
      try (Adapter adapter = model.readAdapter(spec.baselineAdapter());
          Policy baseline =
              Policy.ofAdapter(model.architecture(), model.weights(), adapter, null)) {
        evaluation.put("baseline", outcome(baseline, objective, rows));
      }
    }
    Map<String, Map<String, Double>> metrics = new LinkedHashMap<>();
    evaluation.forEach((name, outcome) -> metrics.put(name, outcome.metrics()));
    AtomicFiles.write(
        spec.out().resolve("eval.json"), JsonFiles.pretty(EvaluationFile.of(evaluation, rows)));
    return metrics;
  }
}
