package io.attune.engine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.Digests;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.data.Content;
import io.attune.engine.data.Examples;
import io.attune.engine.data.Row;
import io.attune.engine.data.RowFormat;
import io.attune.engine.data.Rows;
import io.attune.engine.model.Weights;
import io.attune.engine.online.ExchangedRollouts;
import io.attune.engine.online.Generation;
import io.attune.engine.online.LocalRollouts;
import io.attune.engine.online.OnlineLoop;
import io.attune.engine.online.OnlineSettings;
import io.attune.engine.online.Prompt;
import io.attune.engine.online.RewardSource;
import io.attune.engine.online.Rewards;
import io.attune.engine.online.RolloutExchange;
import io.attune.engine.online.RolloutSource;
import io.attune.engine.online.RuleReward;
import io.attune.engine.train.Policy;
import io.attune.engine.train.StepMetrics;
import io.attune.engine.train.TrainingSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A training run whose policy learns from what it writes itself. Policy, reference, value and
 * reward model stand on one set of base weights wherever they can.
 */
final class OnlineRun {
  /**
   * Tokens of a completion for which folding an adapter into the weights takes less than it saves.
   */
  private static final int WORTH_FOLDING = 16;

  private final TrainingSpec spec;
  private final TrainingSettings settings;
  private final OnlineSettings online;
  private final LanguageModel model;
  private final RowFormat format;
  private final RunAudience audience;
  private final @Nullable RolloutExchange exchange;
  private final RunOutput output;

  /**
   * @param exchange who writes and scores; null for this run
   */
  OnlineRun(
      TrainingSpec spec,
      TrainingSettings settings,
      OnlineSettings online,
      LanguageModel model,
      RowFormat format,
      RunAudience audience,
      @Nullable RolloutExchange exchange) {
    this.spec = spec;
    this.settings = settings;
    this.online = online;
    this.model = model;
    this.format = format;
    this.audience = audience;
    this.exchange = exchange;
    this.output = new RunOutput(spec, settings, model);
  }

  TrainingResult train() {
    if (model.architecture().positionsDependOnLength()) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          spec.model()
              + " has rotary positions that depend on how long a text is (rope_scaling), so that"
              + " what it wrote token by token cannot be read again in one pass; objective "
              + spec.objective()
              + " is not implemented for it");
    }
    if (settings.adapter() != null) {
      requireShareable(settings.adapter());
    }
    if (exchange != null && (settings.adapter() == null || !online.sources().isEmpty())) {
      throw new IllegalArgumentException(
          "completions that others write and score need an adapter to write with, and no"
              + " 'reward_model', 'reward_function' or 'reward_rule'");
    }
    return settings.adapter() != null ? trainAdapter() : trainWeights();
  }

  /** Refuses what would make the policy that is read another one than the one that wrote. */
  private static void requireShareable(ObjectNode adapter) {
    for (String key : List.of("lora_dropout", "vera_dropout", "encoder_dropout", "dropout")) {
      if (adapter.path(key).asDouble(0) > 0) {
        throw new IllegalArgumentException(
            "'"
                + key
                + "' is "
                + adapter.get(key)
                + "; with dropout a policy would not be the one that wrote, leave it away");
      }
    }
    String start = adapter.path("init_lora_weights").asText("true");
    if (start.startsWith("pissa") || start.equals("loftq")) {
      throw new IllegalArgumentException(
          "'init_lora_weights' is "
              + start
              + ", which changes the base weights that reference, value and reward model share");
    }
  }

  private TrainingResult trainAdapter() {
    Weights weights = model.weights();
    try (Adapter adapter =
            spec.initAdapter() == null
                ? model.createAdapter(settings.adapter(), settings.arguments().seed())
                : model.readAdapter(spec.initAdapter());
        Adapter start = spec.initAdapter() == null ? null : model.readAdapter(spec.initAdapter());
        Policy policy =
            Policy.ofAdapter(model.architecture(), weights, adapter, start)
                .withCheckpointing(settings.compute().gradientCheckpointing());
        ValueModel value = value(weights);
        Answers answers = answers(adapter)) {
      OnlineLoop loop = loop(policy, value, answers, adapter.virtualTokens().length);
      StepMetrics last = run(loop);
      output.writeAdapter(adapter, null);
      return result(last, loop, value);
    }
  }

  private TrainingResult trainWeights() {
    Weights weights = model.weights();
    Set<String> trained = settings.trained().of(model.architecture());
    weights.own(trained);
    try (Weights frozen = output.reference();
        Policy policy =
            Policy.ofWeights(model.architecture(), weights, frozen, trained)
                .withCheckpointing(settings.compute().gradientCheckpointing());
        ValueModel value = value(frozen);
        Answers answers = ownAnswers(PolicyDecoders.plain(model), new int[0], false)) {
      OnlineLoop loop = loop(policy, value, answers, 0);
      StepMetrics last = run(loop);
      output.writeModel(weights, null);
      return result(last, loop, value);
    }
  }

  /** Where completions come from, and what says how good they are. */
  private record Answers(RolloutSource rollouts, Rewards rewards) implements AutoCloseable {
    @Override
    public void close() {
      rewards.close();
    }
  }

  private Answers answers(Adapter adapter) {
    if (exchange == null) {
      boolean folds = online.writing().maxCompletionLength() >= WORTH_FOLDING;
      return ownAnswers(
          PolicyDecoders.adapted(model, adapter, folds), adapter.virtualTokens(), true);
    }
    ExchangedRollouts rollouts =
        new ExchangedRollouts(exchange, folder -> output.writeAdapter(adapter, null, folder));
    return new Answers(rollouts, new Rewards(List.of(rollouts), List.of()));
  }

  /**
   * @param shares whether the base weights stay as they are
   */
  private Answers ownAnswers(Generation.Decoders decoders, int[] virtualTokens, boolean shares) {
    return new Answers(
        new LocalRollouts(
            online.writing(),
            new Generation(decoders, virtualTokens, model.eosTokenIds(), this::text),
            settings.arguments().seed()),
        new Rewards(sources(shares), online.sources().weights()));
  }

  private @Nullable ValueModel value(Weights frozen) {
    if (online.value() == null) {
      return null;
    }
    return online.value().model() == null
        ? ValueModel.onBase(model, frozen, settings)
        : ValueModel.onOwn(online.value().model(), model, settings);
  }

  private OnlineLoop loop(Policy policy, @Nullable ValueModel value, Answers answers, int virtual) {
    return new OnlineLoop(
        settings.arguments(),
        online,
        new OnlineLoop.Roles(policy, value == null ? null : value.policy(), answers.rewards()),
        answers.rollouts(),
        prompts(spec.data(), virtual),
        new OnlineLoop.Watch(
            settings.alarms(),
            settings.evaluation(),
            spec.evalData() == null ? List.of() : prompts(spec.evalData(), virtual)));
  }

  private StepMetrics run(OnlineLoop loop) {
    List<String> models =
        online.sources().models().stream()
            .map(folder -> Digests.sha256(folder.resolve(AdapterFiles.WEIGHTS)))
            .toList();
    return audience.during(
        spec.out(),
        output.fingerprint(models),
        output.described(),
        settings.resumeFrom(),
        loop::run);
  }

  private TrainingResult result(
      @Nullable StepMetrics last, OnlineLoop loop, @Nullable ValueModel value) {
    if (value != null) {
      value.write(spec.out());
    }
    Map<String, Map<String, Double>> evaluation = Map.of();
    if (spec.evalData() != null) {
      evaluation = Map.of("candidate", loop.evaluate());
      var json = JsonFiles.newObject();
      evaluation.forEach((name, metrics) -> metrics.forEach(json.putObject(name)::put));
      AtomicFiles.write(spec.out().resolve("eval.json"), JsonFiles.pretty(json));
    }
    return new TrainingResult(
        spec.out(), loop.steps(), last == null ? Map.of() : last.values(), evaluation);
  }

  private String text(int[] ids) {
    return model.tokenizer().decode(ids, true);
  }

  /** Those that leave room for a completion. */
  private List<Prompt> prompts(Path file, int virtual) {
    int longest = Math.min(settings.maxLength(), model.config().maxPositions());
    int room = longest - virtual - online.writing().maxCompletionLength();
    if (room < 1) {
      throw new IllegalArgumentException(
          "'max_completion_length' is "
              + online.writing().maxCompletionLength()
              + "; within "
              + longest
              + " tokens (max_length, or the model's context) it leaves none for a prompt");
    }
    Examples examples = model.examples(longest);
    List<Prompt> prompts = new ArrayList<>();
    int tooLong = 0;
    List<Row.Prompt> rows = Rows.prompts(file, format);
    for (int i = 0; i < rows.size(); i++) {
      int[] ids = ids(examples, rows.get(i), file + ", row " + (i + 1));
      if (ids.length <= room) {
        prompts.add(new Prompt(rows.get(i), promptText(rows.get(i).prompt()), ids));
      } else {
        tooLong++;
      }
    }
    if (tooLong > 0) {
      audience
          .listener()
          .onNotice(
              file
                  + ": left out "
                  + tooLong
                  + " prompts of more than "
                  + room
                  + " tokens, which leave no room for max_completion_length");
    }
    if (prompts.isEmpty()) {
      throw new EngineException(
          Reason.TOO_LITTLE_DATA, file + ": no prompt has at most " + room + " tokens");
    }
    return prompts;
  }

  private static int[] ids(Examples examples, Row.Prompt row, String where) {
    int[] ids;
    try {
      ids = examples.prompt(row.prompt());
    } catch (EngineException e) {
      throw new EngineException(e.reason(), where + ": " + e.getMessage(), e);
    }
    if (ids.length == 0) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, where + ": the prompt has no token to go on from");
    }
    return ids;
  }

  private String promptText(Content prompt) {
    return prompt instanceof Content.Messages turns
        ? model.chatTemplate().orElseThrow().render(turns.messages(), true)
        : ((Content.Text) prompt).text();
  }

  /**
   * @param shares as in {@link #ownAnswers}
   */
  private List<RewardSource> sources(boolean shares) {
    List<RewardSource> sources = new ArrayList<>();
    boolean complete = false;
    try {
      for (Path folder : online.sources().models()) {
        sources.add(
            ModelReward.open(
                folder,
                model,
                output.baseDigest(),
                shares,
                settings.maxLength(),
                settings.arguments().perDeviceTrainBatchSize()));
      }
      online.sources().functions().forEach(name -> sources.add(function(name)));
      for (String rule : online.sources().rules()) {
        sources.add(new RuleReward("rule" + number(sources), rule));
      }
      complete = true;
      return sources;
    } finally {
      if (!complete) {
        sources.forEach(RewardSource::close);
      }
    }
  }

  /** Nothing for the first rule, 2 for the second, ... */
  private static String number(List<RewardSource> sources) {
    long rules = sources.stream().filter(RuleReward.class::isInstance).count();
    return rules == 0 ? "" : Long.toString(rules + 1);
  }

  private static RewardSource function(String name) {
    Set<String> there = new TreeSet<>();
    for (RewardSource source : ServiceLoader.load(RewardSource.class)) {
      if (source.name().equals(name)) {
        return source;
      }
      there.add(source.name());
    }
    throw new IllegalArgumentException(
        "'reward_function' names '"
            + name
            + "'; on the class path there "
            + (there.isEmpty() ? "is none" : "are " + String.join(", ", there))
            + ". It is the name() of an implementation of "
            + RewardSource.class.getName()
            + " that META-INF/services lists");
  }
}
