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
import io.attune.engine.online.Rewards;
import io.attune.engine.online.RolloutExchange;
import io.attune.engine.online.RolloutSource;
import io.attune.engine.train.Policy;
import io.attune.engine.train.StepMetrics;
import io.attune.engine.train.TrainingSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
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
    boolean adapts = settings.adapter() != null;
    if (exchange != null) {
      return trainExchanging(adapts);
    }
    boolean watched = !online.heldOut().isEmpty();
    if (watched && !settings.evaluation().enabled()) {
      throw new IllegalArgumentException(
          "'eval_reward_model', 'eval_reward_function' and 'eval_reward_rule' are measured at"
              + " evaluations; set eval_strategy, and give held-out prompts");
    }
    if (adapts) {
      requireShareable(settings.adapter());
    }
    try (Rewards rewards = rewards(online.sources(), adapts);
        Rewards heldOut = watched ? rewards(online.heldOut(), adapts) : null) {
      Judges judges = new Judges(rewards, heldOut);
      return adapts ? trainAdapter(judges) : trainWeights(judges);
    }
  }

  /**
   * @param heldOut null for none
   */
  private record Judges(Rewards rewards, @Nullable Rewards heldOut) {
    OnlineLoop.Roles with(Policy policy, @Nullable ValueModel value) {
      return new OnlineLoop.Roles(policy, value == null ? null : value.policy(), rewards, heldOut);
    }
  }

  private Rewards rewards(OnlineSettings.Sources sources, boolean shares) {
    return new RewardSources(
            model,
            output.baseDigest(),
            shares,
            settings.maxLength(),
            settings.arguments().perDeviceTrainBatchSize())
        .open(sources);
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

  /** What others write and score: the policy goes out, completions with rewards come back. */
  private TrainingResult trainExchanging(boolean adapts) {
    if (!adapts || !online.sources().isEmpty() || !online.heldOut().isEmpty()) {
      throw new IllegalArgumentException(
          "completions that others write and score need an adapter to write with, and no"
              + " 'reward_model', 'reward_function' or 'reward_rule', nor those with 'eval_'");
    }
    requireShareable(settings.adapter());
    Weights weights = model.weights();
    try (Adapter adapter =
            spec.initAdapter() == null
                ? model.createAdapter(settings.adapter(), settings.arguments().seed())
                : model.readAdapter(spec.initAdapter());
        Adapter start = spec.initAdapter() == null ? null : model.readAdapter(spec.initAdapter());
        Policy policy =
            Policy.ofAdapter(model.architecture(), weights, adapter, start)
                .withCheckpointing(settings.compute().gradientCheckpointing());
        ValueModel value = value(weights)) {
      ExchangedRollouts rollouts =
          new ExchangedRollouts(exchange, folder -> output.writeAdapter(adapter, null, folder));
      try (Rewards rewards = new Rewards(List.of(rollouts), List.of())) {
        OnlineLoop loop =
            loop(
                new Judges(rewards, null).with(policy, value),
                rollouts,
                adapter.virtualTokens().length);
        StepMetrics last = run(loop);
        output.writeAdapter(adapter, null);
        return result(last, loop, value);
      }
    }
  }

  private TrainingResult trainAdapter(Judges judges) {
    Weights weights = model.weights();
    try (Adapter adapter =
            spec.initAdapter() == null
                ? model.createAdapter(settings.adapter(), settings.arguments().seed())
                : model.readAdapter(spec.initAdapter());
        Adapter start = spec.initAdapter() == null ? null : model.readAdapter(spec.initAdapter());
        Policy policy =
            Policy.ofAdapter(model.architecture(), weights, adapter, start)
                .withCheckpointing(settings.compute().gradientCheckpointing());
        ValueModel value = value(weights)) {
      OnlineLoop loop =
          loop(
              judges.with(policy, value),
              new Generation(
                  PolicyDecoders.adapted(
                      model, adapter, online.writing().maxCompletionLength() >= WORTH_FOLDING),
                  adapter.virtualTokens(),
                  model.eosTokenIds(),
                  this::text));
      StepMetrics last = run(loop);
      output.writeAdapter(adapter, null);
      return result(last, loop, value);
    }
  }

  private TrainingResult trainWeights(Judges judges) {
    Weights weights = model.weights();
    Set<String> trained = settings.trained().of(model.architecture());
    weights.own(trained);
    try (Weights frozen = output.reference();
        Policy policy =
            Policy.ofWeights(model.architecture(), weights, frozen, trained)
                .withCheckpointing(settings.compute().gradientCheckpointing());
        ValueModel value = value(frozen)) {
      Generation.Decoders decoders = PolicyDecoders.plain(model);
      OnlineLoop loop =
          loop(
              judges.with(policy, value),
              new Generation(decoders, new int[0], model.eosTokenIds(), this::text));
      StepMetrics last = run(loop);
      output.writeModel(weights, null);
      return result(last, loop, value);
    }
  }

  private @Nullable ValueModel value(Weights frozen) {
    if (online.value() == null) {
      return null;
    }
    return online.value().model() == null
        ? ValueModel.onBase(model, frozen, settings)
        : ValueModel.onOwn(online.value().model(), model, settings);
  }

  private OnlineLoop loop(OnlineLoop.Roles roles, Generation generation) {
    return loop(
        roles,
        new LocalRollouts(online.writing(), generation, settings.arguments().seed()),
        generation.virtualTokens().length);
  }

  private OnlineLoop loop(OnlineLoop.Roles roles, RolloutSource rollouts, int virtual) {
    return new OnlineLoop(
        settings.arguments(),
        online,
        roles,
        rollouts,
        prompts(spec.data(), virtual),
        new OnlineLoop.Watch(
            settings.alarms(),
            settings.evaluation(),
            spec.evalData() == null ? List.of() : prompts(spec.evalData(), virtual)));
  }

  private StepMetrics run(OnlineLoop loop) {
    List<String> models =
        Stream.of(online.sources(), online.heldOut())
            .flatMap(sources -> sources.models().stream())
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
}
