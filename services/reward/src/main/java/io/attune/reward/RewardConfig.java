package io.attune.reward;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Optional;

/** What reward can be told. An unknown key under the prefix is an error at start. */
@ConfigMapping(prefix = "attune.reward")
public interface RewardConfig {

  /** The reward line that scores when a call or a rollout names none. */
  @WithDefault("reward")
  String defaultLine();

  /** Calls that may wait for the model; beyond that they are refused as OVERLOADED. */
  @WithDefault("32")
  int maxQueue();

  /** Reward models kept loaded that are not released now, for jobs that still score by them. */
  @WithDefault("2")
  int maxVersions();

  /** This replica's name, which no other replica may have: transactions are told apart by it. */
  Optional<String> replica();
}
