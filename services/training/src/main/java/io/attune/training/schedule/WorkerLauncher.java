package io.attune.training.schedule;

import io.attune.training.worker.JobFolder;
import io.attune.training.worker.WorkerMessage;
import java.time.Duration;
import java.util.function.Consumer;

/** Starts the process of a job. One machine forks a JVM; a cluster creates a Kubernetes Job. */
public interface WorkerLauncher {
  /** A process that carries a job out. */
  interface RunningWorker {
    /**
     * Waits until the process has ended and all that it said was told.
     *
     * @return its exit status
     */
    int await() throws InterruptedException;

    /** Asks the process to end, and kills it when it has not ended after {@code grace}. */
    void stop(Duration grace);

    /** The process's id on its machine, for the log. */
    String id();
  }

  /**
   * Starts the process of the job in a folder.
   *
   * @param listener hears what the process says, on a thread of the launcher's
   */
  RunningWorker launch(JobFolder folder, Consumer<WorkerMessage> listener);
}
