package io.attune.launcher.demo;

import com.google.protobuf.Message;
import io.attune.common.v1.AdapterVersion;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.RatingRejected;
import io.attune.launcher.local.LauncherException;
import io.attune.launcher.local.Progress;
import io.attune.serving.v1.AdapterActivated;
import io.attune.training.v1.TrainingJob;
import io.attune.training.v1.TrainingJobChanged;
import io.attune.training.v1.WatchTrainingJobResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/** Follows one round through the platform's events: ratings accepted, jobs, release, swap. */
final class Round {
  private final EventFeed events;
  private final PlatformCalls calls;
  private final Progress progress;
  private final CompletableFuture<String> platformFailed;
  private final Map<String, TrainingJob> jobs = new HashMap<>();
  private final Map<String, Long> active = new HashMap<>();
  private int accepted;

  Round(
      EventFeed events,
      PlatformCalls calls,
      Progress progress,
      CompletableFuture<String> platformFailed) {
    this.events = events;
    this.calls = calls;
    this.progress = progress;
    this.platformFailed = platformFailed;
  }

  /**
   * Waits until so many ratings are accepted; one refused ends it, since the raters know the rules.
   */
  void awaitAccepted(int ratings) throws InterruptedException {
    progress.stage("ingestion takes the ratings");
    while (accepted < ratings) {
      handle(next());
      progress.step(accepted, ratings, "ratings accepted");
    }
  }

  /**
   * Waits for the line's job to end.
   *
   * @return the job: released, refused, failed or cancelled
   */
  TrainingJob awaitJob(String line) throws InterruptedException {
    String shown = "";
    while (true) {
      TrainingJob job =
          jobs.values().stream()
              .filter(j -> j.getSpec().getLine().equals(line))
              .findFirst()
              .orElse(null);
      if (job != null) {
        String stage = stage(job);
        if (!stage.equals(shown)) {
          progress.stage(stage);
          shown = stage;
        }
        if (job.getState() == TrainingJob.State.STATE_TRAINING) {
          progress.step(
              job.getProgress().getStep(),
              job.getProgress().getTotalSteps(),
              String.format(Locale.ROOT, "loss %.4f", job.getProgress().getLoss()));
        }
        if (ended(job)) {
          return job;
        }
      }
      handle(next());
    }
  }

  /** Waits until serving says that it serves the version. */
  void awaitActive(AdapterVersion version) throws InterruptedException {
    progress.stage("serving swaps the adapter in");
    while (!Objects.equals(active.get(version.getLine()), version.getVersion())) {
      handle(next());
    }
  }

  private static String stage(TrainingJob job) {
    String kind = job.getSpec().hasReward() ? "reward model" : DemoResult.kind(job);
    return switch (job.getState()) {
      case STATE_QUEUED -> kind + ": queued";
      case STATE_TRAINING -> kind + ": training";
      case STATE_EVALUATING -> kind + ": at the gate, compared with the active version";
      default -> kind + ": " + job.getState().name().substring("STATE_".length());
    };
  }

  private static boolean ended(TrainingJob job) {
    return switch (job.getState()) {
      case STATE_RELEASED, STATE_REFUSED, STATE_FAILED, STATE_CANCELLED -> true;
      default -> false;
    };
  }

  private Message next() throws InterruptedException {
    while (true) {
      if (platformFailed.isDone()) {
        throw new LauncherException(platformFailed.join());
      }
      Message event = events.next(Duration.ofSeconds(1));
      if (event != null) {
        return event;
      }
    }
  }

  private void handle(Message event) {
    if (event instanceof RatingAccepted) {
      accepted++;
    } else if (event instanceof RatingRejected rejected) {
      throw new LauncherException(
          "ingestion refused a rating of the demo: " + rejected.getFailure().getMessage());
    } else if (event instanceof TrainingJobChanged changed) {
      TrainingJob job = changed.getJob();
      if (!jobs.containsKey(job.getId())) {
        calls.watch(
            job.getId(),
            events::offer,
            error -> progress.note("watching job " + job.getId() + " broke off: " + error));
      }
      update(job);
    } else if (event instanceof WatchTrainingJobResponse watched) {
      update(watched.getJob());
    } else if (event instanceof AdapterActivated activated) {
      AdapterVersion version = activated.getAdapter();
      if (activated.hasFailure()) {
        throw new LauncherException(
            version.getLine()
                + " version "
                + version.getVersion()
                + " cannot be loaded: "
                + activated.getFailure().getMessage());
      }
      active.put(version.getLine(), version.getVersion());
    }
  }

  /** States only move forward; the topic and the watched call may tell of them in any order. */
  private void update(TrainingJob job) {
    jobs.merge(
        job.getId(),
        job,
        (old, now) -> ended(old) || now.getStateValue() < old.getStateValue() ? old : now);
  }
}
