package io.attune.engine;

import io.attune.engine.online.OnlineSettings;
import io.attune.engine.online.RewardSource;
import io.attune.engine.online.Rewards;
import io.attune.engine.online.RuleReward;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;

/**
 * Opens the rewards that settings name, for a policy.
 *
 * @param policyDigest of the policy's base weights
 * @param shares whether the base weights stay as they are
 * @param maxLength tokens that a reward model reads at most
 * @param batch completions scored at once
 */
record RewardSources(
    LanguageModel policy, String policyDigest, boolean shares, int maxLength, int batch) {

  Rewards open(OnlineSettings.Sources named) {
    List<RewardSource> sources = new ArrayList<>();
    boolean complete = false;
    try {
      for (Path folder : named.models()) {
        sources.add(ModelReward.open(folder, policy, policyDigest, shares, maxLength, batch));
      }
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
