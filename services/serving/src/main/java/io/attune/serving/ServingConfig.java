package io.attune.serving;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Optional;

/** What serving can be told. An unknown key under the prefix is an error at start. */
@ConfigMapping(prefix = "attune.serving")
public interface ServingConfig {

  /** The policy line that answers when a call names no model; served from the first day on. */
  @WithDefault("assistant")
  String defaultLine();

  /** Answers that are written at the same time: the batch of the generator. */
  @WithDefault("16")
  int maxConcurrent();

  /** Tokens of a prompt and its answer, at most; the model's context is the other limit. */
  @WithDefault("2048")
  int maxContext();

  /** Answers that may wait for a place; beyond that calls are refused as OVERLOADED. */
  @WithDefault("64")
  int maxQueue();

  /** The share of the places that rollouts may take, more than 0 and at most 1. */
  @WithDefault("0.5")
  double rolloutShare();

  /** Unreleased versions that stay loaded for rollouts. */
  @WithDefault("2")
  int maxCandidates();

  /** Tokens of an answer when the caller gives no limit. */
  @WithDefault("256")
  int defaultMaxNewTokens();

  /** This replica's name in AdapterActivated; the host's name and process id when absent. */
  Optional<String> replica();
}
