package io.attune.reward;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.platform.line.LineVersion;
import io.attune.platform.line.LoadedVersions;
import io.attune.platform.line.Pin;
import io.attune.platform.line.Release;
import io.attune.platform.line.ServedLines;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Scores batches, one at a time: a batch uses all the threads there are, so two at once would only
 * need more memory. Callers beyond a bounded queue are refused; rollouts wait.
 */
@ApplicationScoped
public class Scoring {

  /** Scores and what gave them. */
  public record Scored(float[] scores, LineVersion rewardModel) {
    public Scored {
      scores = scores.clone();
    }

    @Override
    public float[] scores() {
      return scores.clone();
    }
  }

  private final ServedLines<Scorer.Model> lines;
  private final LoadedVersions<Scorer.Model> versions;
  private final RewardConfig config;
  private final MeterRegistry metrics;
  private final Semaphore turn = new Semaphore(1, true);
  private final AtomicInteger waiting = new AtomicInteger();

  public Scoring(
      ServedLines<Scorer.Model> lines,
      LoadedVersions<Scorer.Model> versions,
      RewardConfig config,
      MeterRegistry metrics) {
    this.lines = lines;
    this.versions = versions;
    this.config = config;
    this.metrics = metrics;
    metrics.gauge("attune.reward.waiting", waiting);
  }

  /**
   * Scores a caller's answers.
   *
   * @param tenant whose reward line it is
   * @param line the reward line; the default one when empty
   * @throws PlatformException UNAVAILABLE without a released reward model, OVERLOADED when too many
   *     wait
   */
  public Scored scoreForCaller(Tenant tenant, String line, List<PromptAnswer> answers) {
    if (waiting.incrementAndGet() > config.maxQueue()) {
      waiting.decrementAndGet();
      throw counted(
          new PlatformException(
              ErrorCode.ERROR_CODE_OVERLOADED,
              config.maxQueue() + " calls wait for the reward model; try again later."));
    }
    try {
      return score(tenant, line, answers);
    } finally {
      waiting.decrementAndGet();
    }
  }

  /** Scores a rollout's answers. The same, but it waits as long as it takes. */
  public Scored score(Tenant tenant, String line, List<PromptAnswer> answers) {
    String name = line.isEmpty() ? config.defaultLine() : line;
    return score(name, () -> lines.pin(tenant, name), answers);
  }

  /** Scores a rollout's answers by the version that it names, released or not. */
  public Scored score(Release rewardModel, List<PromptAnswer> answers) {
    return score(rewardModel.version().line(), () -> versions.pin(rewardModel), answers);
  }

  private Scored score(
      String name, Supplier<Pin<Scorer.Model>> pinning, List<PromptAnswer> answers) {
    try (Pin<Scorer.Model> pin = pinning.get()) {
      Scorer.Model model = pin.handle().orElseThrow(() -> noModel(name));
      turn.acquire();
      var timing = Timer.start(metrics);
      try {
        var scored = new Scored(model.score(answers), pin.version());
        metrics.counter("attune.reward.scores", "line", name).increment(answers.size());
        return scored;
      } finally {
        turn.release();
        timing.stop(metrics.timer("attune.reward.batch.time"));
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw counted(
          new PlatformException(ErrorCode.ERROR_CODE_UNAVAILABLE, "Reward is shutting down."));
    } catch (PlatformException refused) {
      throw counted(refused);
    }
  }

  private static PlatformException noModel(String line) {
    return new PlatformException(
        ErrorCode.ERROR_CODE_UNAVAILABLE,
        "No reward model of line \""
            + line
            + "\" is released yet; train one, or wait until training releases it.");
  }

  private PlatformException counted(PlatformException refused) {
    metrics
        .counter("attune.reward.refused", "reason", ErrorCodes.reason(refused.code()))
        .increment();
    return refused;
  }
}
