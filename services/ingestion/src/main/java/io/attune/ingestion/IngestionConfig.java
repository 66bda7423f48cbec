package io.attune.ingestion;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** The settings of this service. */
@ConfigMapping(prefix = "attune.ingestion")
public interface IngestionConfig {

  /** How long a rating waits for the generation that it names before it is refused. */
  @WithDefault("10m")
  Duration pendingTimeout();

  /** How often ratings that have waited too long are looked for. */
  @WithDefault("5s")
  Duration pendingSweepInterval();

  /** Prompts out of 1000, chosen by hash, whose ratings are held out from training. 0 to 999. */
  @WithDefault("150")
  int heldOutPermille();

  /** Threads that consume ratings; more than the topic has partitions are idle. */
  @WithDefault("2")
  int ratingConsumers();

  /** Ratings of one batch and transaction at most. */
  @WithDefault("2000")
  int ratingBatch();
}
