package io.attune.engine.fuzz;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Runs one task after another in a thread of its own, and reports where one hangs. */
final class Watchdog implements AutoCloseable {

  /** What is watched. */
  interface Task {
    void run() throws Exception;
  }

  private final long limitMillis;
  private volatile Thread worker;
  private final ExecutorService executor =
      Executors.newSingleThreadExecutor(
          task -> {
            worker = new Thread(task, "watched");
            worker.setDaemon(true);
            return worker;
          });

  Watchdog(long limitMillis) {
    this.limitMillis = limitMillis;
  }

  /**
   * Rethrows what the task throws.
   *
   * @throws AssertionError with the stack at which the task is, if it exceeds the limit
   */
  void run(Task task) throws Throwable {
    Future<?> future =
        executor.submit(
            () -> {
              task.run();
              return null;
            });
    try {
      future.get(limitMillis, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      String stack =
          Stream.of(worker.getStackTrace())
              .map(frame -> "\n\tat " + frame)
              .collect(Collectors.joining());
      throw new AssertionError("takes more than " + limitMillis + " ms:" + stack, e);
    } catch (ExecutionException e) {
      throw e.getCause();
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
