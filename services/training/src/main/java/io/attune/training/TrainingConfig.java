package io.attune.training;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Settings of this service. */
@ConfigMapping(prefix = "attune.training")
public interface TrainingConfig {
  /** Where each job has its folder: rows, checkpoints, log. Must outlive a restart. */
  @WithDefault("${attune.storage.root}/training-jobs")
  Path folder();

  /**
   * How many jobs train at once on this machine. Reward jobs have as many places beside jobs that
   * learn online, which are to learn from their outcome.
   */
  @WithDefault("1")
  int parallelJobs();

  /**
   * The folder of an encoder that reward jobs train, all its weights: a version of their lines is
   * then a model by itself. Without it they train adapters of the base model.
   */
  Optional<Path> rewardEncoder();

  /** Whether a job starts from its line's active adapter; else from the base model. */
  @WithDefault("true")
  boolean continueFromActive();

  /** How long a job waits for its snapshot, or for whatever else may come back, before it fails. */
  @WithDefault("10m")
  Duration snapshotPatience();

  /** Least rows to train on; fewer are TOO_LITTLE_DATA. */
  @WithDefault("16")
  int minimumRows();

  /** The process of a job. */
  Worker worker();

  /** What decides about a candidate. */
  Gate gate();

  /** What jobs that learn online ask of serving and reward. */
  Rollouts rollouts();

  /** What starts rounds by itself. */
  Trigger trigger();

  /** What takes a release back by itself. */
  Rollback rollback();

  /** The process of a job. */
  interface Worker {
    /** Where it runs. */
    @WithDefault("forked")
    Launcher launcher();

    /**
     * For {@link Launcher#KUBERNETES}: the CronJob in this service's namespace whose template its
     * Job is made of.
     */
    @WithDefault("training-worker")
    String template();

    /**
     * Its Java heap, as -Xmx takes it. Tensors live outside of it. A Job's template has its own.
     */
    @WithDefault("1g")
    String heap();

    /** More options of its Java process, split at commas. */
    Optional<List<String>> jvmOptions();

    /** How long a cancelled process may take to end before it is killed. */
    @WithDefault("10s")
    Duration cancelGrace();

    /** How often a process that died without a reason is started again, while this service runs. */
    @WithDefault("3")
    int restarts();

    /** Where a job's process runs. */
    enum Launcher {
      /** On this machine, as a child of this process. */
      FORKED,
      /** In the cluster, as a Kubernetes Job. */
      KUBERNETES
    }
  }

  /** What decides about a candidate. */
  interface Gate {
    /** Least gain in mean reward on held-out prompts that a policy needs. */
    @WithDefault("0.02")
    double policyMargin();

    /** Least gain in the share of rightly ordered held-out pairs that a reward model needs. */
    @WithDefault("0.02")
    double rewardMargin();

    /** Least held-out prompts, or independent pairs, to decide on. */
    @WithDefault("10")
    int minimumSample();

    /** At most this many are examined. */
    @WithDefault("128")
    int maximumSample();

    /** Answers to each held-out prompt by each side; their mean reward counts. */
    @WithDefault("2")
    int samplesPerPrompt();

    /** Prompts in one request to serving. */
    @WithDefault("16")
    int chunkSize();

    /** Sampling temperature of the answers. */
    @WithDefault("0.7")
    float temperature();

    /** Tokens of an answer at most. */
    @WithDefault("128")
    int maxNewTokens();

    /** The line whose released reward model scores the answers. */
    @WithDefault("reward")
    String rewardLine();

    /** How long a candidate may stand at the gate before its job fails. */
    @WithDefault("1h")
    Duration deadline();

    /** How long after a failure that may pass a chunk is asked for again. */
    @WithDefault("5s")
    Duration retryDelay();

    /** Bootstrap resamples. */
    @WithDefault("10000")
    int resamples();
  }

  /** What jobs that learn online ask of serving and reward. */
  interface Rollouts {
    /** Answers in one request to serving: a replica's share at a time. */
    @WithDefault("16")
    int chunkSize();

    /** How long after asking a chunk that does not come is asked for again. */
    @WithDefault("5m")
    Duration timeout();

    /** How long after asking a chunk that failed in passing is asked for again. */
    @WithDefault("5s")
    Duration retryDelay();

    /** How often a chunk is asked for before its job fails. */
    @WithDefault("20")
    int attempts();
  }

  /**
   * What takes a release back by itself: its ratings are surely worse than those of the version
   * before it.
   */
  interface Rollback {
    /** Whether it does. */
    @WithDefault("true")
    boolean enabled();

    /**
     * Ratings of the new version at which it is compared with the one before, for the first time;
     * then at twice as many, and so on. The one before needs as many.
     */
    @WithDefault("50")
    int ratings();

    /** Least raters of either version; each counts once, with the mean of what he said. */
    @WithDefault("10")
    int raters();

    /**
     * How long after its release a version is compared, and how far back the ratings of the one
     * before count.
     */
    @WithDefault("168h")
    Duration window();

    /** Least fall of the mean rating. */
    @WithDefault("0.02")
    double margin();
  }

  /** What starts rounds by itself: a reward job, and a policy job after it. */
  interface Trigger {
    /** The policy line to train; no round starts by itself without it. */
    Optional<String> line();

    /** The reward line to train before it. */
    @WithDefault("reward")
    String rewardLine();

    /** The data set whose ratings count. */
    @WithDefault("default")
    String dataset();

    /** A round starts when this many new ratings have arrived. */
    @WithDefault("1000")
    long ratings();

    /** A round starts when this long has passed since the last one, with enough new ratings. */
    @WithDefault("24h")
    Duration interval();

    /** Least new ratings of a round that the interval starts. */
    @WithDefault("100")
    long minimumRatings();

    /**
     * While a job of the line learns online, so many new ratings start a reward job by itself,
     * whose release scores the rounds that follow. 0: never.
     */
    @WithDefault("200")
    long refreshRatings();

    /** The reward job. */
    JobSettings reward();

    /** What the policy job learns by: a field of TrainingSpec.objective. */
    @WithDefault("dpo")
    String policyObjective();

    /** The policy job. */
    JobSettings policy();
  }

  /**
   * Settings of the jobs of a round, by the names in TrainingSpec; unset ones have its defaults.
   */
  interface JobSettings {
    /** Fields of RewardObjective or DpoObjective. */
    Map<String, String> objective();

    /** Fields of LoraSettings. */
    Map<String, String> lora();

    /** Fields of TrainingArguments. */
    Map<String, String> arguments();

    /** Fields of RolloutSettings. */
    Map<String, String> rollouts();

    /** Fields of RatingSettings. */
    Map<String, String> ratings();
  }
}
