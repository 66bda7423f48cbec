package io.attune.engine.fuzz;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs one task after another in a thread of its own, and reports where one hangs.
 *
 * <p>The limit is for the time that a task would take on an idle machine. By the clock alone, a
 * harmless file would fail where other programs take the processors, and a limit with room for that
 * would let real hangs through elsewhere. So what counts is
 *
 * <ul>
 *   <li>processor time of the whole process, which has the garbage collector's and that of native
 *       threads in it, not only the task's own, and
 *   <li>time that the task's thread waits for a lock, a signal or an alarm, seen by looking twenty
 *       times within the limit: no load explains it.
 * </ul>
 *
 * What is left, native code that waits, looks like a starved thread; it is given ten times as many
 * looks. Looks are counted, not time, so that a machine that sleeps makes no task slow.
 */
public final class Watchdog implements AutoCloseable {

  /** What is watched. */
  public interface Task {
    void run() throws Exception;
  }

  /** How long a task took, by the clock and on processors. */
  public record Time(long wallMillis, long processorMillis) {}

  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private static final int LOOKS = 20;
  private static final int GRACE = 10;

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
  public Time run(Task task) throws Throwable {
    Stopwatch stopwatch = new Stopwatch();
    Future<?> future =
        executor.submit(
            () -> {
              task.run();
              return null;
            });
    int looks = 0;
    int waits = 0;
    while (true) {
      try {
        future.get(Math.max(1, limitMillis / LOOKS), TimeUnit.MILLISECONDS);
        return stopwatch.time();
      } catch (TimeoutException e) {
        looks++;
        waits += isWaiting(worker) ? 1 : 0;
        Time time = stopwatch.time();
        if (time.processorMillis() > limitMillis || waits > LOOKS || looks > GRACE * LOOKS) {
          throw new AssertionError(
              "takes more than " + limitMillis + " ms: " + time + stack(worker), e);
        }
      } catch (ExecutionException e) {
        throw e.getCause();
      }
    }
  }

  private static boolean isWaiting(Thread thread) {
    return switch (thread.getState()) {
      case BLOCKED, WAITING, TIMED_WAITING -> true;
      case NEW, RUNNABLE, TERMINATED -> false;
    };
  }

  private static String stack(Thread thread) {
    return Stream.of(thread.getStackTrace())
        .map(frame -> "\n\tat " + frame)
        .collect(Collectors.joining());
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }

  /** Starts when it is made. */
  private static final class Stopwatch {
    private final long wall = System.nanoTime();
    private final long processor = PROCESS.getProcessCpuTime();

    Time time() {
      return new Time(
          (System.nanoTime() - wall) / 1_000_000,
          (PROCESS.getProcessCpuTime() - processor) / 1_000_000);
    }
  }
}
