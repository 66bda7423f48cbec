package io.attune.engine.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class WatchdogTest {
  private static void waitForever() {
    while (!Thread.currentThread().isInterrupted()) {
      LockSupport.park();
    }
  }

  private static void computeForever() {
    while (!Thread.currentThread().isInterrupted()) {
      Thread.onSpinWait();
    }
  }

  private static void assertHangs(Watchdog.Task task, String where) {
    try (Watchdog watchdog = new Watchdog(100)) {
      assertThatThrownBy(() -> watchdog.run(task))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("more than 100 ms")
          .hasMessageContaining(where);
    }
  }

  @Test
  void saysWhereATaskWaits() {
    assertHangs(WatchdogTest::waitForever, "waitForever");
  }

  @Test
  void saysWhereATaskComputes() {
    assertHangs(WatchdogTest::computeForever, "computeForever");
  }

  @Test
  void countsTheWorkOfOtherThreads() throws Throwable {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    Thread other =
        new Thread(
            () -> {
              while (threads.getCurrentThreadCpuTime() < 200_000_000) {
                Thread.onSpinWait();
              }
            });
    try (Watchdog watchdog = new Watchdog(60_000)) {
      Watchdog.Time time =
          watchdog.run(
              () -> {
                other.start();
                other.join();
              });
      // Linux counts a process's time in hundredths of a second.
      assertThat(time.processorMillis()).isBetween(180L, 60_000L);
      assertThat(time.wallMillis()).isBetween(190L, 60_000L);
    }
  }

  @Test
  void rethrows() {
    try (Watchdog watchdog = new Watchdog(60_000)) {
      assertThatThrownBy(
              () ->
                  watchdog.run(
                      () -> {
                        throw new IOException("no disk");
                      }))
          .isInstanceOf(IOException.class)
          .hasMessage("no disk");
    }
  }
}
