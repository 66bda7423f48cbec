package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.RowFormat;
import io.attune.engine.online.Divergence;
import io.attune.engine.online.Generation;
import io.attune.engine.online.LocalRollouts;
import io.attune.engine.online.OnlineSettings;
import io.attune.engine.online.Prompt;
import io.attune.engine.online.Rewards;
import io.attune.engine.online.Rollout;
import io.attune.engine.train.Policy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a policy writes to prompts, how good rewards find it, and how far that is from what the
 * model without the adapter would write. Single-threaded.
 */
public final class PolicyEvaluation implements AutoCloseable {
  private final LanguageModel model;
  private final Settings settings;
  private final @Nullable LoadedAdapter adapter;
  private final Rewards rewards;

  /**
   * How completions are written and judged.
   *
   * @param sources of rewards, at least one
   * @param writing slots are completions that are written, and read, at once
   * @param maxLength tokens of prompt and completion at most
   */
  public record Settings(
      OnlineSettings.Sources sources, OnlineSettings.Writing writing, int maxLength, long seed) {}

  /**
   * A completion.
   *
   * @param prompt as the model reads it
   * @param tokens of the completion
   * @param kl its log-probability under the policy less that under the model without the adapter,
   *     in nats; their mean is the divergence
   */
  public record Written(
      String prompt, String completion, int tokens, boolean ended, double reward, double kl) {}

  private PolicyEvaluation(
      LanguageModel model, Settings settings, @Nullable LoadedAdapter adapter, Rewards rewards) {
    this.model = model;
    this.settings = settings;
    this.adapter = adapter;
    this.rewards = rewards;
  }

  /**
   * Opens a policy.
   *
   * @param model stays the caller's
   * @param adapter a PEFT folder; null for the model itself
   */
  public static PolicyEvaluation open(
      LanguageModel model, @Nullable Path adapter, Settings settings) {
    if (model.architecture().positionsDependOnLength()) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          model.folder()
              + " has rotary positions that depend on how long a text is (rope_scaling); reading"
              + " again what it wrote is not implemented for it");
    }
    LoadedAdapter loaded = adapter == null ? null : model.loadAdapter(adapter);
    boolean opened = false;
    try {
      Rewards rewards =
          new RewardSources(
                  model,
                  RunOutput.weightsDigest(model.folder()),
                  true,
                  settings.maxLength(),
                  settings.writing().slots())
              .open(settings.sources());
      PolicyEvaluation evaluation = new PolicyEvaluation(model, settings, loaded, rewards);
      opened = true;
      return evaluation;
    } catch (IllegalArgumentException e) {
      throw new EngineException(Reason.INVALID_ARGUMENT, e.getMessage(), e);
    } finally {
      if (!opened && loaded != null) {
        loaded.close();
      }
    }
  }

  /**
   * Has the policy answer prompts; {@code evaluated} completions of each, those of a prompt side by
   * side. Equal settings give equal completions.
   *
   * @param file rows as {@link io.attune.engine.data.Rows#prompts} reads them
   * @param notices hears what was left out
   */
  public List<Written> write(Path file, Consumer<String> notices) {
    int virtual = adapter == null ? 0 : adapter.virtualTokens();
    OnlineSettings.Writing writing = settings.writing();
    List<Prompt> prompts =
        new PromptReader(model, settings.maxLength(), virtual, writing.maxCompletionLength())
            .read(file, RowFormat.DEFAULT, notices);
    List<Rollout> rollouts =
        new LocalRollouts(writing, generation(), settings.seed())
            .write(prompts, writing.evaluated(), "held-out", 0);
    double[] scores = rewards.total(rollouts);
    double[] kl = adapter == null ? new double[scores.length] : divergence().of(rollouts);
    List<Written> written = new ArrayList<>();
    for (int i = 0; i < scores.length; i++) {
      Rollout rollout = rollouts.get(i);
      written.add(
          new Written(
              rollout.prompt().text(),
              rollout.completion(),
              rollout.completionIds().length,
              rollout.ended(),
              scores[i],
              kl[i]));
    }
    return written;
  }

  private Generation generation() {
    return new Generation(
        adapter == null
            ? PolicyDecoders.plain(model)
            : PolicyDecoders.adapted(model, adapter.adapter(), true),
        adapter == null ? new int[0] : adapter.adapter().virtualTokens(),
        model.eosTokenIds(),
        ids -> model.tokenizer().decode(ids, true));
  }

  private Divergence divergence() {
    return new Divergence(
        Policy.frozen(adapter.network()),
        Policy.frozen(model.network()),
        settings.writing().temperature(),
        settings.writing().slots());
  }

  @Override
  public void close() {
    rewards.close();
    if (adapter != null) {
      adapter.close();
    }
  }
}
