package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.data.Examples;
import io.attune.engine.data.Row;
import io.attune.engine.data.TokenFile;
import io.attune.engine.evaluate.HeldOut;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Dpo;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.RewardModeling;
import io.attune.engine.objective.RewardRegression;
import io.attune.engine.objective.Sft;
import io.attune.engine.train.Method;
import io.attune.engine.train.Parameters;
import io.attune.engine.train.Policy;
import io.attune.engine.train.Reader;
import io.attune.engine.train.StepMetrics;
import io.attune.engine.train.TrainingLoop;
import io.attune.engine.train.TrainingSettings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * A training run from rows to an adapter: the one implementation behind the command line and the
 * training service.
 */
public final class TrainingRun {
  private final TrainingSpec spec;
  private final TrainingSettings settings;
  private final LanguageModel model;
  private final TrainingData data;
  private final ProgressListener listener;
  private final CancelSignal cancel;

  private TrainingRun(
      TrainingSpec spec,
      TrainingSettings settings,
      LanguageModel model,
      ProgressListener listener,
      CancelSignal cancel) {
    this.spec = spec;
    this.settings = settings;
    this.model = model;
    this.data = new TrainingData(model, settings, listener);
    this.listener = listener;
    this.cancel = cancel;
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
    try {
      Method method = method(spec);
      Parameters parameters = new Parameters(spec.parameters());
      TrainingSettings settings =
          TrainingSettings.parse(parameters, spec.objective(), method, spec.model().toString());
      parameters.finish("objective " + spec.objective() + " with method " + spec.method());
      LoadOptions options = new LoadOptions(settings.threads(), !method.isAdapter());
      try (LanguageModel model =
          settings.initWeights()
              ? LanguageModel.random(spec.model(), options, settings.arguments().seed())
              : LanguageModel.load(spec.model(), options)) {
        return new TrainingRun(spec, settings, model, listener, cancel).dispatch();
      }
    } catch (IllegalArgumentException e) {
      throw new EngineException(Reason.INVALID_ARGUMENT, e.getMessage(), e);
    }
  }

  private static Method method(TrainingSpec spec) {
    Method method = Method.named(spec.method());
    if (!method.isAdapter() && (spec.objective().equals("reward") || spec.initAdapter() != null)) {
      throw new IllegalArgumentException(
          "method full neither trains a reward model nor continues an adapter; use lora");
    }
    return method;
  }

  private TrainingResult dispatch() {
    if (spec.objective().equals("cpt")) {
      return pretrain();
    }
    List<Row> rows = data.rows(spec.data());
    return switch (spec.objective()) {
      case "sft" -> train(new Sft(), rows, Examples::sft);
      case "dpo" -> train(new Dpo(settings.dpo()), rows, Examples::preference);
      case "reward" ->
          rows.get(0) instanceof Row.Scored
              ? train(new RewardRegression(), rows, Examples::scored)
              : train(new RewardModeling(settings.reward()), rows, Examples::preference);
      default ->
          throw new IllegalArgumentException(
              "objective '"
                  + spec.objective()
                  + "' is not implemented; there are sft, cpt, dpo and reward");
    };
  }

  private TrainingResult pretrain() {
    try (TokenFile texts = data.texts(spec.data(), spec.out().resolve("train.tokens"));
        TokenFile heldOut =
            spec.evalData() == null
                ? null
                : data.texts(spec.evalData(), spec.out().resolve("eval.tokens"))) {
      return train(new Sft(), texts, heldOut);
    }
  }

  private <E> TrainingResult train(
      Objective<E> objective, List<Row> rows, BiFunction<Examples, Row, Optional<E>> shape) {
    List<E> examples = data.examples(spec.data(), rows, shape);
    return train(
        objective,
        examples,
        spec.evalData() == null
            ? null
            : data.examples(spec.evalData(), data.rows(spec.evalData()), shape));
  }

  private <E> TrainingResult train(
      Objective<E> objective, List<E> examples, @Nullable List<E> heldOut) {
    DecoderModel architecture = model.architecture();
    RunOutput output = new RunOutput(spec, settings, model);
    if (settings.adapter() == null) {
      try (Weights reference = objective.usesReference() ? output.reference() : null;
          Policy policy =
              Policy.ofWeights(
                  architecture, model.weights(), reference == null ? model.weights() : reference)) {
        TrainingLoop<E> loop = loop(policy, objective, examples);
        StepMetrics last = run(loop, output);
        output.writeModel(model.weights());
        return result(last, loop.totalSteps(), evaluate(policy, objective, heldOut));
      }
    }
    try (Adapter adapter = adapter();
        Adapter start = spec.initAdapter() == null ? null : model.readAdapter(spec.initAdapter());
        Policy policy = Policy.ofAdapter(architecture, model.weights(), adapter, start)) {
      TrainingLoop<E> loop = loop(policy, objective, examples);
      StepMetrics last = run(loop, output);
      output.writeAdapter(adapter);
      return result(last, loop.totalSteps(), evaluate(policy, objective, heldOut));
    }
  }

  private <E> TrainingLoop<E> loop(Policy policy, Objective<E> objective, List<E> examples) {
    return new TrainingLoop<>(
        settings.arguments(), policy, objective, examples, settings.data().batching());
  }

  private StepMetrics run(TrainingLoop<?> loop, RunOutput output) {
    return loop.run(
        spec.out(),
        output.fingerprint(),
        step -> listener.onStep(step.step(), step.totalSteps(), metrics(step)),
        listener::onNotice,
        cancel::isCancelled);
  }

  private static Map<String, Double> metrics(@Nullable StepMetrics step) {
    Map<String, Double> metrics = new TreeMap<>();
    if (step != null) {
      metrics.putAll(step.metrics());
      metrics.put("loss", step.loss());
      metrics.put("grad_norm", step.gradNorm());
      metrics.put("learning_rate", step.learningRate());
      metrics.put("tokens_per_second", step.tokensPerSecond());
      metrics.put("peak_memory_bytes", (double) step.peakMemoryBytes());
    }
    return metrics;
  }

  private TrainingResult result(
      @Nullable StepMetrics last, int steps, Map<String, Map<String, Double>> evaluation) {
    return new TrainingResult(spec.out(), steps, metrics(last), evaluation);
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
    int batch = settings.arguments().perDeviceTrainBatchSize();
    Map<String, Map<String, Double>> evaluation = new LinkedHashMap<>();
    evaluation.put(
        "candidate",
        HeldOut.evaluate(new Reader<>(policy.forEvaluation(), objective), objective, rows, batch));
    if (spec.baselineAdapter() != null) {
      try (Adapter adapter = model.readAdapter(spec.baselineAdapter());
          Policy baseline =
              Policy.ofAdapter(model.architecture(), model.weights(), adapter, null)) {
        evaluation.put(
            "baseline",
            HeldOut.evaluate(
                new Reader<>(baseline.forEvaluation(), objective), objective, rows, batch));
      }
    }
    var json = JsonFiles.newObject();
    evaluation.forEach((name, metrics) -> metrics.forEach(json.putObject(name)::put));
    AtomicFiles.write(spec.out().resolve("eval.json"), JsonFiles.pretty(json));
    return evaluation;
  }
}
