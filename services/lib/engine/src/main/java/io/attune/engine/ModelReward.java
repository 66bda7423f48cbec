package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.data.Content;
import io.attune.engine.data.Examples;
import io.attune.engine.online.RewardSource;
import io.attune.engine.online.Rollout;
import io.attune.engine.token.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The score of a reward model. Where its adapter belongs to the policy's base model, it is set on
 * those same weights; else it has a base of its own. It reads the ids that the policy wrote; where
 * its tokenizer or chat template is another one, the text.
 */
final class ModelReward implements RewardSource {
  private final String name;
  private final RewardModel model;

  /** Closed with this; null where it is the policy's. */
  private final @Nullable LanguageModel own;

  /** Reads texts; null where ids are read as they are. */
  private final @Nullable Examples texts;

  private final int batch;

  private ModelReward(
      String name,
      RewardModel model,
      @Nullable LanguageModel own,
      @Nullable Examples texts,
      int batch) {
    this.name = name;
    this.model = model;
    this.own = own;
    this.texts = texts;
    this.batch = batch;
  }

  /**
   * Loads a reward model's folder.
   *
   * @param policy the policy's base model
   * @param policyDigest identifies its weights, as {@code attune.json} does
   * @param shares whether the policy's base weights stay as they are, so that they can be shared
   * @param maxLength tokens that a reward model with another tokenizer reads at most
   * @param batch completions scored at once
   */
  static ModelReward open(
      Path folder,
      LanguageModel policy,
      String policyDigest,
      boolean shares,
      int maxLength,
      int batch) {
    AdapterFiles files = AdapterFiles.open(folder);
    Path base = Path.of(files.config().path("base_model_name_or_path").asText(""));
    String digest = files.attune().map(a -> a.path("base_model_sha256").asText("")).orElse("");
    boolean same = digest.isEmpty() ? isSame(base, policy.folder()) : digest.equals(policyDigest);
    String name = folder.toAbsolutePath().normalize().getFileName().toString();
    if (same && shares) {
      return new ModelReward(name, RewardModel.load(policy, folder), null, null, batch);
    }
    Path place = same ? policy.folder() : base;
    if (!Files.isDirectory(place)) {
      throw new EngineException(
          Reason.IO,
          folder
              + " is a reward model on '"
              + base
              + "' (base_model_name_or_path in "
              + AdapterFiles.CONFIG
              + "), which is no folder here and not the policy's base model");
    }
    LanguageModel own = LanguageModel.load(place, LoadOptions.defaults());
    boolean opened = false;
    try {
      boolean readsIds = own.contractSha256().equals(policy.contractSha256());
      int longest = Math.min(maxLength, own.config().maxPositions());
      ModelReward reward =
          new ModelReward(
              name,
              RewardModel.load(own, folder),
              own,
              readsIds ? null : own.examples(longest),
              batch);
      opened = true;
      return reward;
    } finally {
      if (!opened) {
        own.close();
      }
    }
  }

  private static boolean isSame(Path a, Path b) {
    try {
      return Files.exists(a) && Files.isSameFile(a, b);
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether it is set on the policy's own base weights. */
  boolean sharesBase() {
    return own == null;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double[] score(List<Rollout> rollouts) {
    double[] scores = new double[rollouts.size()];
    for (int from = 0; from < scores.length; from += batch) {
      List<int[]> sequences = new ArrayList<>();
      for (Rollout rollout : rollouts.subList(from, Math.min(scores.length, from + batch))) {
        sequences.add(ids(rollout));
      }
      float[] part = model.score(sequences);
      for (int i = 0; i < part.length; i++) {
        scores[from + i] = part[i];
      }
    }
    return scores;
  }

  private int[] ids(Rollout rollout) {
    if (texts == null) {
      return concatenate(rollout.prompt().ids(), rollout.completionIds());
    }
    Content prompt = rollout.prompt().row().prompt();
    Content completion =
        prompt instanceof Content.Messages
            ? new Content.Messages(List.of(new ChatMessage("assistant", rollout.completion())))
            : new Content.Text(rollout.completion());
    Examples.Pair pair = texts.pair(prompt, completion);
    return concatenate(pair.prompt(), pair.completion());
  }

  private static int[] concatenate(int[] a, int[] b) {
    int[] both = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  @Override
  public void close() {
    model.close();
    if (own != null) {
      own.close();
    }
  }
}
