package io.attune.training.schedule;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.Loggable;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.training.TrainingConfig;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.release.Releases;
import io.attune.training.schedule.WorkerLauncher.RunningWorker;
import io.attune.training.v1.Progress;
import io.attune.training.worker.JobFolder;
import io.attune.training.worker.WorkerMessage;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.jboss.logging.Logger;

/** One job on its way from its start, or its resumption, to the gate. Runs on one thread. */
final class JobRun {
  private static final Logger LOG = Logger.getLogger(JobRun.class);
  private static final long MILLIS_BETWEEN_PROGRESS = 500;

  private final Tenant tenant;
  private final UUID id;
  private final Jobs jobs;
  private final Workplace workplace;
  private final WorkerLauncher launcher;
  private final Releases releases;
  private final TrainingConfig.Worker config;
  private final Clock clock;
  private final AtomicReference<WorkerMessage.Failed> failure = new AtomicReference<>();
  private final Object stopLock = new Object();
  private RunningWorker worker;
  private boolean stopped;
  private long lastProgressMillis;

  JobRun(
      Job job,
      Jobs jobs,
      Workplace workplace,
      WorkerLauncher launcher,
      Releases releases,
      TrainingConfig.Worker config,
      Clock clock) {
    this.tenant = job.tenant();
    this.id = job.id();
    this.jobs = jobs;
    this.workplace = workplace;
    this.launcher = launcher;
    this.releases = releases;
    this.config = config;
    this.clock = clock;
  }

  /**
   * Carries the job out.
   *
   * @throws PlatformException when it cannot be done, or cannot be done now
   */
  void run(Job job) throws InterruptedException {
    Job training = job.state() instanceof JobState.Queued ? workplace.start(job) : job;
    if (!(training.state() instanceof JobState.Training)) {
      return;
    }
    JobFolder folder = workplace.prepare(training);
    for (int start = 0; folder.readResult().isEmpty(); start++) {
      if (start > config.restarts()) {
        throw new PlatformException(
            ErrorCode.ERROR_CODE_INTERNAL,
            "The worker process died %d times without a reason; %s has what it logged."
                .formatted(start, folder.log()));
      }
      if (!work(folder)) {
        return;
      }
    }
    releases.submit(tenant, id, workplace.collect(training, folder));
    try {
      folder.delete();
    } catch (UncheckedIOException e) {
      // No reason to fail a job that is at the gate; the next start of this service deletes it.
      LOG.warnf(Loggable.of(e), "a folder stays that is no longer needed jobId=%s", id);
    }
  }

  /** Runs the process once; false when somebody stopped it. */
  private boolean work(JobFolder folder) throws InterruptedException {
    try (WorkerSpans spans = new WorkerSpans(id)) {
      return work(folder, spans);
    }
  }

  private boolean work(JobFolder folder, WorkerSpans spans) throws InterruptedException {
    RunningWorker running;
    synchronized (stopLock) {
      if (stopped) {
        return false;
      }
      running = launcher.launch(folder, message -> hear(message, spans));
      worker = running;
    }
    LOG.infof("worker started jobId=%s pid=%s", id, running.id());
    int status = running.await();
    LOG.infof("worker ended jobId=%s pid=%s status=%d", id, running.id(), status);
    synchronized (stopLock) {
      worker = null;
      if (stopped) {
        return false;
      }
    }
    WorkerMessage.Failed failed = failure.get();
    if (failed != null) {
      throw new PlatformException(ErrorCode.valueOf(failed.code()), failed.message());
    }
    return true;
  }

  private void hear(WorkerMessage message, WorkerSpans spans) {
    if (message instanceof WorkerMessage.Began began) {
      spans.begin(began.phase());
    } else if (message instanceof WorkerMessage.Failed failed) {
      failure.set(failed);
    } else if (message instanceof WorkerMessage.Progressed progressed) {
      long now = clock.millis();
      boolean last = progressed.step() == progressed.totalSteps();
      if (last || now - lastProgressMillis >= MILLIS_BETWEEN_PROGRESS) {
        lastProgressMillis = now;
        advance(progressed, now);
      }
    }
  }

  private void advance(WorkerMessage.Progressed progressed, long nowMillis) {
    Progress.Builder progress =
        Progress.newBuilder()
            .setStep(progressed.step())
            .setTotalSteps(progressed.totalSteps())
            .setLoss(progressed.loss());
    if (progressed.remainingMillis() >= 0) {
      progress.setExpectedEndTime(
          io.attune.training.Messages.timestamp(
              Instant.ofEpochMilli(nowMillis + progressed.remainingMillis())));
    }
    jobs.change(
        tenant,
        id,
        (handle, job) ->
            job.state() instanceof JobState.Training training
                ? training.advance(progress.build())
                : job.state());
  }

  /** Ends the process, if there is one; the run returns. Once is enough. */
  void stop() {
    RunningWorker running;
    synchronized (stopLock) {
      if (stopped) {
        return;
      }
      stopped = true;
      running = worker;
    }
    if (running != null) {
      running.stop(config.cancelGrace());
    }
  }
}
