package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.training.dataset.RowSet;
import io.attune.training.schedule.ForkedWorkers;
import io.attune.training.schedule.WorkerLauncher.RunningWorker;
import io.attune.training.worker.JobFolder;
import io.attune.training.worker.WorkerMessage;
import io.attune.training.worker.WorkerOrder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A worker's process, stopped from outside in the middle of its training. */
class WorkerStopIT {
  private static final int STOPPED = 3;
  private static final int TERMINATED = 128 + 15;

  @TempDir Path root;

  private final BlockingQueue<WorkerMessage> said = new LinkedBlockingQueue<>();

  @Test
  void theEndOfItsInputStopsItBetweenSteps() throws Exception {
    JobFolder folder = folder();
    RunningWorker worker = start(folder);

    worker.stop(Duration.ofMinutes(1));

    assertThat(worker.await()).isEqualTo(STOPPED);
    assertThat(folder.log()).content().contains("stopped: cancelled after step");
    assertStoppedOnly(folder, worker);
  }

  @Test
  void terminationStopsItBetweenSteps() throws Exception {
    JobFolder folder = folder();
    RunningWorker worker = start(folder);

    ProcessHandle.of(Long.parseLong(worker.id())).orElseThrow().destroy();

    assertThat(worker.await()).isEqualTo(TERMINATED);
    assertStoppedOnly(folder, worker);
  }

  @Test
  void aWorkerAfterItGoesOnFromTheLastCheckpoint() throws Exception {
    JobFolder folder = folder();
    RunningWorker first = start(folder);
    first.stop(Duration.ofMinutes(1));
    first.await();
    said.clear();

    RunningWorker second = launch(folder);

    assertThat(nextStep()).isGreaterThan(20).isEqualTo(1 + resumedAfter(folder));
    second.stop(Duration.ofMinutes(1));
    second.await();
  }

  /** It neither crashed nor failed nor pretended to be done. */
  private void assertStoppedOnly(JobFolder folder, RunningWorker worker) {
    assertThat(said).noneMatch(WorkerMessage.Failed.class::isInstance);
    assertThat(folder.readResult()).isEmpty();
    assertThat(Path.of("hs_err_pid" + worker.id() + ".log")).doesNotExist();
    assertThat(folder.log()).content().doesNotContain("fatal error");
  }

  private long resumedAfter(JobFolder folder) throws IOException {
    String mark = "resuming after step ";
    return Files.readAllLines(folder.log()).stream()
        .filter(line -> line.contains(mark))
        .mapToLong(line -> Long.parseLong(line.substring(line.indexOf(mark) + mark.length())))
        .findFirst()
        .orElseThrow();
  }

  private JobFolder folder() throws IOException {
    Path snapshot = Files.writeString(root.resolve("ratings.jsonl"), TinyModel.ratings(80));
    JobFolder folder = new JobFolder(root.resolve("job"));
    folder.writeOrder(
        new WorkerOrder(
            "job",
            "{\"line\":\"judge\",\"reward\":{},%s}".formatted(TinyModel.arguments(100_000)),
            snapshot.toString(),
            TinyModel.FOLDER.toAbsolutePath().toString(),
            0,
            null,
            0,
            null,
            null,
            1,
            new RowSet.Limits(16, 10, 128)));
    return folder;
  }

  /** Starts a worker and waits until it is well past its first checkpoint. */
  private RunningWorker start(JobFolder folder) throws InterruptedException {
    RunningWorker worker = launch(folder);
    long step = nextStep();
    while (step < 25) {
      step = nextStep();
    }
    return worker;
  }

  private RunningWorker launch(JobFolder folder) {
    TrainingConfig config =
        Settings.with(
            Map.of(
                "attune.training.worker.heap", "256m",
                "attune.training.worker.jvm-options", "-XX:TieredStopAtLevel=1"));
    return new ForkedWorkers(config).launch(folder, said::add);
  }

  private long nextStep() throws InterruptedException {
    WorkerMessage message = said.poll(2, TimeUnit.MINUTES);
    while (message instanceof WorkerMessage.Began) {
      message = said.poll(2, TimeUnit.MINUTES);
    }
    assertThat(message).isInstanceOf(WorkerMessage.Progressed.class);
    return ((WorkerMessage.Progressed) message).step();
  }
}
