package io.attune.launcher.command;

import java.util.concurrent.CountDownLatch;

/**
 * Ctrl-C or SIGTERM, heard by work that must stop at a point of its own choice: the JVM ends only
 * after {@link #close}. Ending in the middle of a native call would crash instead.
 */
final class Interrupt implements AutoCloseable {
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stop, "interrupt");
  private volatile boolean heard;

  private Interrupt() {}

  static Interrupt listen() {
    Interrupt interrupt = new Interrupt();
    Runtime.getRuntime().addShutdownHook(interrupt.hook);
    return interrupt;
  }

  boolean heard() {
    return heard;
  }

  private void stop() {
    heard = true;
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The work has stopped. */
  @Override
  public void close() {
    stopped.countDown();
    if (!heard) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The signal came just now: the hook runs, and finds the work stopped.
      }
    }
  }
}
