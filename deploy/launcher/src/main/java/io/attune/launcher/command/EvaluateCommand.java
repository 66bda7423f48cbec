package io.attune.launcher.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.LanguageModel;
import io.attune.engine.PolicyEvaluation;
import io.attune.engine.PolicyEvaluation.Written;
import io.attune.engine.PretrainedModel;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.evaluate.Bootstrap;
import io.attune.launcher.display.Display;
import io.attune.launcher.evaluate.Evaluation;
import io.attune.launcher.evaluate.EvaluationData;
import io.attune.launcher.evaluate.Outcome;
import io.attune.launcher.evaluate.ReadingSettings;
import io.attune.launcher.evaluate.Report;
import io.attune.launcher.evaluate.Result;
import io.attune.launcher.evaluate.RewardSubject;
import io.attune.launcher.evaluate.Subject;
import io.attune.launcher.evaluate.Task;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code attune evaluate}. */
@Command(
    name = "evaluate",
    description = "Measures a model on rows or a text, with confidence intervals.",
    mixinStandardHelpOptions = true)
public final class EvaluateCommand implements Callable<Integer> {
  @Mixin private ModelOptions model;

  @Option(
      names = "--task",
      paramLabel = "NAME",
      split = ",",
      description = {
        "One or several, with commas between:",
        "perplexity: of the tokens that sft would learn, or of a text;",
        "accuracy: of a classifier's labels; of {prompt, chosen, rejected} rows, how often the"
            + " chosen answer is likelier; of other rows, how many of those tokens are the"
            + " likeliest;",
        "f1 (with precision and recall), mcc: of a classifier's labels;",
        "exact_match, bleu, chrf, chrf++, rouge: of answers that the model writes;",
        "reward: of a reward model's scores of {prompt, completion, score} or {text, score} rows,"
            + " or",
        "of its order of {prompt, chosen, rejected} rows;",
        "policy: the rewards of what the model writes to {prompt} rows, and how far it is from the",
        "model without the adapter."
      })
  private List<String> tasks = new ArrayList<>();

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description = {
        "Rows, JSONL or a JSON array; or plain text in a .txt file, which is read in windows of",
        "--max-length tokens: each predicts the tokens that no window before it had."
      })
  private Path data;

  @Option(
      names = "--baseline",
      paramLabel = "DIR",
      arity = "0..1",
      fallbackValue = "",
      description = {
        "Compare on the same rows with the model without the adapter; or, with a folder,",
        "with that adapter or that model."
      })
  private Path baseline;

  @Option(
      names = "--ensemble",
      paramLabel = "DIR",
      split = ",",
      description = {
        "With --task reward: further reward models, whose mean with the first is the score;"
            + " adapters",
        "of the model, or encoders of their own."
      })
  private List<Path> ensemble = new ArrayList<>();

  @Option(
      names = "--forgetting",
      paramLabel = "FILE",
      description = {
        "General text or rows: by how much the loss is higher than the baseline's. The baseline is",
        "the model without the adapter where --baseline does not say another."
      })
  private Path forgetting;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description = "Tokens of a row or window at most. Default: 1024, or what the model reads.")
  private int maxLength;

  @Option(
      names = "--stride",
      paramLabel = "N",
      description = "Tokens between the starts of two windows. Default: half of --max-length.")
  private int stride;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      description = "Rows read or answered at once. Default: ${DEFAULT-VALUE}.")
  private int batchSize = 8;

  @Mixin private MetricOptions metrics;

  @Mixin private WritingOptions writing;

  @Mixin private PolicyOptions policy;

  @Option(
      names = "--resamples",
      paramLabel = "N",
      description = "Of the bootstrap that gives the intervals. Default: ${DEFAULT-VALUE}.")
  private int resamples = 1000;

  @Option(
      names = "--confidence",
      paramLabel = "P",
      description = "Of the intervals. Default: ${DEFAULT-VALUE}.")
  private double confidence = 0.95;

  @Option(names = "--out", paramLabel = "FILE", description = "Write the results as JSON too.")
  private Path out;

  @Option(
      names = "--predictions",
      paramLabel = "FILE",
      description = "Write what the model answered, a line of JSON for each row.")
  private Path predictions;

  @Override
  public Integer call() {
    Set<Task> asked = EnumSet.noneOf(Task.class);
    tasks.forEach(name -> asked.add(Task.named(name.strip())));
    checkArguments(asked);
    Bootstrap bootstrap = new Bootstrap(resamples, confidence, writing.seed());
    if (asked.contains(Task.POLICY)) {
      report(new Report(bootstrap), policy(bootstrap), null);
      return 0;
    }
    EvaluationData rows = data == null ? null : EvaluationData.read(data);
    EvaluationData general = forgetting == null ? null : EvaluationData.read(forgetting);
    ReadingSettings reading = new ReadingSettings(maxLength, stride, batchSize);
    Display display = Display.of(System.err);
    Outcome outcome = new Outcome(List.of(), List.of(), List.of(), List.of(), List.of());
    Result forgotten = null;
    try (PretrainedModel base = model.load();
        PretrainedModel other = isModel(baseline) ? model.load(baseline) : null;
        Subject system = system(asked, base, reading);
        Subject compared = baseline(asked, base, other, reading)) {
      Evaluation evaluation = new Evaluation(reading, bootstrap, display);
      if (rows != null) {
        outcome = evaluation.run(asked, system, compared, rows, metrics.settings(writing));
      }
      if (general != null) {
        forgotten = evaluation.forgetting(system, compared, general);
      }
    }
    display.done("measured " + (data == null ? forgetting : data));
    report(new Report(bootstrap), outcome, forgotten);
    return 0;
  }

  private Outcome policy(Bootstrap bootstrap) {
    PolicyEvaluation.Settings settings =
        policy.settings(writing, maxLength == 0 ? 1024 : maxLength, batchSize);
    Display display = Display.of(System.err);
    Evaluation evaluation =
        new Evaluation(new ReadingSettings(maxLength, stride, batchSize), bootstrap, display);
    try (PretrainedModel base = model.load();
        PretrainedModel other = isModel(baseline) ? model.load(baseline) : null) {
      List<Written> written = written(base, model.adapter(), settings, display);
      List<Written> theirs = null;
      if (other != null) {
        theirs = written(other, null, settings, display);
      } else if (baseline != null) {
        Path adapter = baseline.toString().isEmpty() ? null : baseline;
        theirs = written(base, adapter, settings, display);
      }
      display.done("measured " + data);
      return evaluation.policy(written, theirs, policy.samples(), policy.signature(writing));
    }
  }

  private List<Written> written(
      PretrainedModel base, Path adapter, PolicyEvaluation.Settings settings, Display display) {
    if (!(base instanceof LanguageModel writer)) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          base.folder()
              + " is no policy: that is a decoder-only model, with an adapter or without");
    }
    display.stage((adapter == null ? base.folder() : adapter) + " writes to " + data.getFileName());
    try (PolicyEvaluation evaluation = PolicyEvaluation.open(writer, adapter, settings)) {
      return evaluation.write(data, display::note);
    }
  }

  private void checkArguments(Set<Task> asked) {
    require((data == null) == tasks.isEmpty(), "--task and --data go together");
    require(data != null || forgetting != null, "give --task and --data, or --forgetting");
    require(
        !asked.contains(Task.REWARD) || asked.size() == 1 && forgetting == null,
        "--task reward goes alone: a reward model writes nothing");
    require(
        !asked.contains(Task.POLICY) || asked.size() == 1 && forgetting == null,
        "--task policy goes alone: its rows are prompts");
    require(
        asked.contains(Task.POLICY) || !policy.used(),
        "--reward-model, --reward-rule, --reward-weights and --samples go with --task policy");
    if (asked.contains(Task.POLICY)) {
      writing.requireWholeDistribution();
    }
    require(
        ensemble.isEmpty() || asked.contains(Task.REWARD), "--ensemble goes with --task reward");
    require(maxLength == 0 || maxLength > 1, "--max-length is " + maxLength + "; 2 is the least");
    require(
        maxLength == 0 || !asked.contains(Task.REWARD),
        "--max-length does not go with --task reward: a reward model reads what it has room for");
    require(stride >= 0, "--stride is " + stride + "; 1 is the least");
    require(batchSize > 0, "--batch-size is " + batchSize + "; 1 is the least");
    boolean same = baseline != null && baseline.toString().isEmpty() && model.adapter() == null;
    require(
        !same, "--baseline without a folder compares an adapter with its model; give --adapter");
    require(
        forgetting == null || baseline != null || model.adapter() != null,
        "--forgetting compares with the model before training; give --adapter, or --baseline DIR");
    require(
        predictions == null || asked.contains(Task.POLICY) || asked.stream().anyMatch(Task::writes),
        "--predictions has nothing to write; no task has the model write answers");
  }

  private static void require(boolean valid, String message) {
    if (!valid) {
      throw new EngineException(Reason.INVALID_ARGUMENT, message);
    }
  }

  private static boolean isModel(Path folder) {
    return folder != null
        && !folder.toString().isEmpty()
        && !Files.exists(folder.resolve("adapter_config.json"));
  }

  private Subject system(Set<Task> asked, PretrainedModel base, ReadingSettings reading) {
    return asked.contains(Task.REWARD)
        ? RewardSubject.of(base, model.adapter(), ensemble, reading)
        : Subject.of(base, model.adapter(), reading);
  }

  /** What the system is compared with; null for nothing. */
  private Subject baseline(
      Set<Task> asked, PretrainedModel base, PretrainedModel other, ReadingSettings reading) {
    if (asked.contains(Task.REWARD)) {
      return rewardBaseline(base, other, reading);
    }
    if (other != null) {
      return Subject.of(other, null, reading);
    }
    if (baseline != null && !baseline.toString().isEmpty()) {
      return Subject.of(base, baseline, reading);
    }
    boolean wanted = baseline != null || forgetting != null;
    return wanted ? Subject.of(base, null, reading) : null;
  }

  private Subject rewardBaseline(
      PretrainedModel base, PretrainedModel other, ReadingSettings reading) {
    if (baseline == null) {
      return null;
    }
    Path adapter = other == null && !baseline.toString().isEmpty() ? baseline : null;
    return RewardSubject.of(other == null ? base : other, adapter, List.of(), reading);
  }

  private void report(Report report, Outcome outcome, Result forgotten) {
    if (!outcome.results().isEmpty()) {
      System.out.print(report.table(outcome.results()));
    }
    if (forgotten != null) {
      System.out.println("forgetting, on " + forgetting + " (difference: rise in nats per token)");
      System.out.print(report.table(List.of(forgotten)));
    }
    if (out != null) {
      ObjectNode json = JsonFiles.newObject();
      put(json, "model", model.model());
      put(json, "adapter", model.adapter());
      put(json, "baseline", baseline);
      put(json, "data", data);
      report.write(outcome.results(), json);
      if (forgotten != null) {
        put(json, "forgetting_data", forgetting);
        json.set("forgetting", report.json(forgotten));
      }
      AtomicFiles.write(out, JsonFiles.pretty(json));
    }
    if (predictions != null) {
      AtomicFiles.write(predictions, lines(outcome));
    }
  }

  private static void put(ObjectNode json, String key, Path path) {
    if (path != null) {
      json.put(key, path.toString());
    }
  }

  private static byte[] lines(Outcome outcome) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < outcome.answers().size(); i++) {
      ObjectNode line = JsonFiles.newObject();
      line.put("reference", outcome.references().get(i));
      line.put("prediction", outcome.answers().get(i));
      if (!outcome.baselineAnswers().isEmpty()) {
        line.put("baseline", outcome.baselineAnswers().get(i));
      }
      lines.append(line).append('\n');
    }
    for (Written each : outcome.written()) {
      ObjectNode line = JsonFiles.newObject();
      line.put("prompt", each.prompt());
      line.put("completion", each.completion());
      line.put("score", each.reward());
      line.put("kl", each.kl());
      lines.append(line).append('\n');
    }
    return lines.toString().getBytes(StandardCharsets.UTF_8);
  }
}
