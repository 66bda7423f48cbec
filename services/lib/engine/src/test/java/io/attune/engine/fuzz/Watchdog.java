package io.attune.engine.fuzz;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs one task after another in a thread of its own, and reports where one hangs. A task's time is
 * that of its thread on a processor, so that a busy machine makes none too slow; one that waits is
 * given ten times as long.
 */
public final class Watchdog implements AutoCloseable {

  /** What is watched. */
  public interface Task {
    void run() throws Exception;
  }

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final int LOOKS = 20;

  private final long limitMillis;
  private volatile Thread worker;
  private final ExecutorService executor =
      Executors.newSingleThreadExecutor(
          task -> {
            worker = new Thread(task, "watched");
            worker.setDaemon(true);
            return worker;
          });

  public Watchdog(long limitMillis) {
    this.limitMillis = limitMillis;
  }

  /**
   * Rethrows what the task throws.
   *
   * @throws AssertionError with the stack at which the task is, if it exceeds the limit
   */
  public void run(Task task) throws Throwable {
    Future<?> future =
        executor.submit(
            () -> {
              task.run();
              return null;
            });
    long start = System.nanoTime();
    long startOnProcessor = onProcessor();
    while (true) {
      try {
        future.get(Math.max(1, limitMillis / LOOKS), TimeUnit.MILLISECONDS);
        return;
      } catch (TimeoutException e) {
        if (onProcessor() - startOnProcessor > limitMillis * 1_000_000
            || System.nanoTime() - start > 10 * limitMillis * 1_000_000) {
          String stack =
              Stream.of(worker.getStackTrace())
                  .map(frame -> "\n\tat " + frame)
                  .collect(Collectors.joining());
          throw new AssertionError("takes more than " + limitMillis + " ms:" + stack, e);
        }
      } catch (ExecutionException e) {
        throw e.getCause();
      }
    }
  }

  private long onProcessor() {
    Thread thread = worker;
    return thread == null ? 0 : Math.max(0, THREADS.getThreadCpuTime(thread.getId()));
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
