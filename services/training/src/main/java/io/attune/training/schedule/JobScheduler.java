package io.attune.training.schedule;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.Failures;
import io.attune.platform.error.Loggable;
import io.attune.platform.error.PlatformException;
import io.attune.platform.telemetry.Spans;
import io.attune.training.TrainingConfig;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.job.Job;
import io.attune.training.job.JobMetrics;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.job.SpecRules;
import io.attune.training.release.LiveRatings;
import io.attune.training.release.Releases;
import io.attune.training.trigger.RatingTrigger;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jdbi.v3.core.JdbiException;

/**
 * Gives jobs their places. All that it knows is in the database, looked at again and again: after a
 * restart a job that was TRAINING gets its process back in the same folder, and one that was
 * EVALUATING goes on being examined.
 */
@ApplicationScoped
public class JobScheduler {
  private static final Logger LOG = Logger.getLogger(JobScheduler.class);
  private static final long LOOK_MILLIS = 250;
  private static final Duration RETRY = Duration.ofSeconds(3);

  private final Jobs jobs;
  private final Workplace workplace;
  private final WorkerLauncher launcher;
  private final Releases releases;
  private final RatingTrigger trigger;
  private final LiveRatings liveRatings;
  private final Leadership leadership;
  private final OnlineRounds rounds;
  private final AbandonedFolders abandoned;
  private final AdapterLines lines;
  private final JobTraces traces;
  private final JobMetrics metrics;
  private final TrainingConfig config;
  private final Clock clock;
  private final Map<UUID, JobRun> running = new ConcurrentHashMap<>();
  private final Map<UUID, Waiting> waiting = new ConcurrentHashMap<>();
  private final ScheduledExecutorService looker =
      Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "job-scheduler"));
  private final ExecutorService runners =
      Executors.newCachedThreadPool(task -> new Thread(task, "job-run"));

  /** Only the looking thread's. */
  private boolean swept;

  /** A job that could not start for a reason that may pass. */
  private record Waiting(Instant since, Instant until) {}

  @Inject
  public JobScheduler(
      Jobs jobs,
      Workplace workplace,
      WorkerLauncher launcher,
      Releases releases,
      RatingTrigger trigger,
      LiveRatings liveRatings,
      Leadership leadership,
      OnlineRounds rounds,
      AbandonedFolders abandoned,
      AdapterLines lines,
      JobTraces traces,
      JobMetrics metrics,
      TrainingConfig config,
      Clock clock) {
    this.jobs = jobs;
    this.workplace = workplace;
    this.launcher = launcher;
    this.releases = releases;
    this.trigger = trigger;
    this.liveRatings = liveRatings;
    this.leadership = leadership;
    this.rounds = rounds;
    this.abandoned = abandoned;
    this.lines = lines;
    this.traces = traces;
    this.metrics = metrics;
    this.config = config;
    this.clock = clock;
  }

  void onStart(@Observes @Priority(2000) StartupEvent started) {
    looker.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  void onStop(@Observes @Priority(1000) ShutdownEvent stopped) throws InterruptedException {
    looker.shutdownNow();
    looker.awaitTermination(5, TimeUnit.SECONDS);
    running.values().forEach(JobRun::stop);
    runners.shutdown();
    runners.awaitTermination(5, TimeUnit.SECONDS);
    leadership.release();
  }

  private void look() {
    try {
      if (!leadership.held()) {
        running.values().forEach(JobRun::stop);
        metrics.open(List.of());
        return;
      }
      sweep();
      trigger.look();
      liveRatings.look();
      place(jobs.open());
      rounds.deleteEnded();
    } catch (RuntimeException e) {
      LOG.warn("the scheduler could not look after its jobs and tries again", Loggable.of(e));
    }
  }

  /**
   * Once, when this replica first leads. Of the jobs that ended before that, none has a run here
   * that deletes its folder; and whoever serves may have lost what was said of lines.
   */
  private void sweep() {
    if (!swept) {
      lines.repeat();
      abandoned.find().forEach(folder -> runners.execute(() -> abandoned.delete(folder)));
      swept = true;
    }
  }

  private void place(List<Job> open) {
    Map<UUID, Job> byId = open.stream().collect(Collectors.toMap(Job::id, Function.identity()));
    running.forEach(
        (id, run) -> {
          if (!byId.containsKey(id)) {
            runners.execute(run::stop);
          }
        });
    waiting.keySet().retainAll(byId.keySet());
    traces.retain(byId.keySet());
    metrics.open(open);
    for (Job job : open) {
      if (job.state() instanceof JobState.Training && SpecRules.isOnline(job.spec())) {
        traces.continuing(job, () -> rounds.look(job));
      }
      if (job.state() instanceof JobState.Evaluating) {
        traces.continuing(job, () -> releases.examine(job));
      } else if (hasPlace(job, byId) && ready(job, byId)) {
        begin(job);
      }
    }
  }

  /**
   * A reward job takes no account of jobs that learn online: they wait for answers most of the
   * time, and the next of their rounds is to be scored by what comes out.
   */
  private boolean hasPlace(Job job, Map<UUID, Job> open) {
    long taken =
        running.keySet().stream()
            .filter(id -> !job.spec().hasReward() || !isOnline(Optional.ofNullable(open.get(id))))
            .count();
    return taken < config.parallelJobs();
  }

  private static boolean isOnline(Optional<Job> job) {
    return job.isPresent() && SpecRules.isOnline(job.get().spec());
  }

  private boolean ready(Job job, Map<UUID, Job> open) {
    if (running.containsKey(job.id())) {
      return false;
    }
    Waiting wait = waiting.get(job.id());
    if (wait != null && clock.instant().isBefore(wait.until())) {
      return false;
    }
    if (job.state() instanceof JobState.Training) {
      return true;
    }
    String after = job.spec().getAfterJobId();
    return after.isEmpty() || !open.containsKey(UUID.fromString(after));
  }

  private void begin(Job job) {
    JobRun run = new JobRun(job, jobs, workplace, launcher, releases, config.worker(), clock);
    Span span = traces.begin(job);
    running.put(job.id(), run);
    runners.execute(() -> Spans.run(span, () -> carryOut(job, run)));
  }

  private void carryOut(Job job, JobRun run) {
    try {
      if (job.state() instanceof JobState.Queued) {
        releases.requireJudge(job);
      }
      run.run(job);
      waiting.remove(job.id());
      if (jobs.get(job.tenant(), job.id().toString()).state() instanceof JobState.Cancelled) {
        workplace.clear(job.id());
      }
    } catch (PlatformException e) {
      failOrWait(job, e);
    } catch (JdbiException e) {
      // What the process has made is in its folder: the next look goes on from there.
      LOG.warnf(
          Loggable.of(e),
          "the database failed a job's run, which is tried again jobId=%s",
          job.id());
      waiting.put(job.id(), new Waiting(clock.instant(), clock.instant().plus(RETRY)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      failOrWait(job, Failures.toCaller(e));
    } finally {
      running.remove(job.id());
    }
  }

  private void failOrWait(Job job, PlatformException reason) {
    Span.current().setStatus(StatusCode.ERROR, ErrorCodes.reason(reason.code()));
    Instant now = clock.instant();
    Waiting before = waiting.get(job.id());
    Instant since = before == null ? now : before.since();
    boolean passing =
        ErrorCodes.retryable(reason.code())
            && reason.code() != ErrorCode.ERROR_CODE_TOO_LITTLE_DATA
            && now.isBefore(since.plus(config.snapshotPatience()));
    if (passing) {
      LOG.infof("job waits tenant=%s jobId=%s: %s", job.tenant(), job.id(), reason.getMessage());
      waiting.put(job.id(), new Waiting(since, now.plus(RETRY)));
    } else {
      LOG.warnf("job failed tenant=%s jobId=%s: %s", job.tenant(), job.id(), reason.getMessage());
      jobs.fail(job, reason);
    }
  }
}
