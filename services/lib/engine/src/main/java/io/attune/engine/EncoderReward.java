package io.attune.engine;

import io.attune.engine.data.Content;
import io.attune.engine.online.RewardSource;
import io.attune.engine.online.Rollout;
import io.attune.engine.token.ChatMessage;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The score of a reward model that is an encoder: it reads prompt and completion as text. */
final class EncoderReward implements RewardSource {
  private final String name;
  private final RewardModel model;

  /** Closed with this; null where the model closes what it stands on. */
  private final @Nullable TextEncoder base;

  private EncoderReward(String name, RewardModel model, @Nullable TextEncoder base) {
    this.name = name;
    this.model = model;
    this.base = base;
  }

  /** Loads a whole encoder. */
  static EncoderReward open(Path folder) {
    return new EncoderReward(
        RewardSources.name(folder), RewardModel.load(folder, LoadOptions.defaults()), null);
  }

  /**
   * Loads an adapter of an encoder.
   *
   * @param base closed with this, and where this call fails
   */
  static EncoderReward open(Path adapter, TextEncoder base) {
    boolean opened = false;
    try {
      EncoderReward reward =
          new EncoderReward(RewardSources.name(adapter), RewardModel.load(base, adapter), base);
      opened = true;
      return reward;
    } finally {
      if (!opened) {
        base.close();
      }
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double[] score(List<Rollout> rollouts) {
    return model.scoreAnswers(rollouts.stream().map(EncoderReward::answer).toList());
  }

  private static RewardModel.Answer answer(Rollout rollout) {
    Content prompt = rollout.prompt().row().prompt();
    return new RewardModel.Answer(prompt, completion(rollout));
  }

  /** In the prompt's form. */
  static Content completion(Rollout rollout) {
    return rollout.prompt().row().prompt() instanceof Content.Messages
        ? new Content.Messages(List.of(new ChatMessage("assistant", rollout.completion())))
        : new Content.Text(rollout.completion());
  }

  @Override
  public void close() {
    model.close();
    if (base != null) {
      base.close();
    }
  }
}
