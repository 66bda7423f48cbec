package io.attune.engine;

import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.Digests;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.online.OnlineSettings;
import io.attune.engine.online.RewardSource;
import io.attune.engine.online.Rewards;
import io.attune.engine.online.RuleReward;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;

/**
 * Opens what says how good a policy's completions are.
 *
 * @param policy the policy's base model
 * @param policyDigest identifies its weights, as {@code attune.json} does
 * @param shares whether its weights stay as they are, so that reward models can stand on them
 * @param maxLength tokens that a reward model with another tokenizer reads at most
 * @param batch completions scored at once
 */
record RewardSources(
    LanguageModel policy, String policyDigest, boolean shares, int maxLength, int batch) {

  /** Models before functions before rules; the caller closes them. */
  Rewards open(OnlineSettings.Sources named) {
    List<RewardSource> sources = new ArrayList<>();
    boolean complete = false;
    try {
      named.models().forEach(folder -> sources.add(model(folder)));
      named.functions().forEach(name -> sources.add(function(name)));
      for (String rule : named.rules()) {
        sources.add(new RuleReward("rule" + number(sources), rule));
      }
      Rewards rewards = new Rewards(sources, named.weights());
      complete = true;
      return rewards;
    } finally {
      if (!complete) {
        sources.forEach(RewardSource::close);
      }
    }
  }

  /** An adapter of a decoder or an encoder, or a whole encoder. */
  private RewardSource model(Path folder) {
    if (!Files.exists(folder.resolve(AdapterFiles.CONFIG))) {
      return EncoderReward.open(folder);
    }
    Path base =
        Path.of(AdapterFiles.open(folder).config().path("base_model_name_or_path").asText(""));
    return isEncoder(base)
        ? EncoderReward.open(folder, TextEncoder.load(base, LoadOptions.defaults()))
        : ModelReward.open(folder, policy, policyDigest, shares, maxLength, batch);
  }

  private static boolean isEncoder(Path base) {
    return Files.exists(base.resolve("config.json"))
        && PretrainedModel.architecture(HubLayout.of(base), LoadOptions.defaults())
            instanceof EncoderModel;
  }

  /** Identifies the weights of a reward model. */
  static String digest(Path folder) {
    Path adapter = folder.resolve(AdapterFiles.WEIGHTS);
    return Files.exists(adapter) ? Digests.sha256(adapter) : RunOutput.weightsDigest(folder);
  }

  /** As metrics call a reward model. */
  static String name(Path folder) {
    return folder.toAbsolutePath().normalize().getFileName().toString();
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
