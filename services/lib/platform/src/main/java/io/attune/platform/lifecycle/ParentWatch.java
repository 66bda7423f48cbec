package io.attune.platform.lifecycle;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/**
 * Ends this process when its parent ends, however the parent ends: the pipe on standard input
 * closes even when the parent is killed with -9.
 */
public final class ParentWatch {

  private ParentWatch() {}

  /**
   * Watches {@code parent} on a daemon thread.
   *
   * @param parent standard input, a pipe that the parent holds open and writes nothing to
   * @param end begins an orderly end
   * @param grace how long that may take; then the process is halted
   */
  public static void start(InputStream parent, Runnable end, Duration grace) {
    Thread watcher = new Thread(() -> watch(parent, end, grace), "parent-watch");
    watcher.setDaemon(true);
    watcher.start();
  }

  private static void watch(InputStream parent, Runnable end, Duration grace) {
    try {
      byte[] ignored = new byte[256];
      while (parent.read(ignored) >= 0) {
        // What the parent writes means nothing; only its end does.
        continue;
      }
    } catch (IOException broken) {
      // A broken pipe is the end of the parent as well.
    }
    Thread halt = new Thread(() -> haltAfter(grace), "parent-watch-halt");
    halt.setDaemon(true);
    halt.start();
    end.run();
  }

  private static void haltAfter(Duration grace) {
    try {
      Thread.sleep(grace.toMillis());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(1);
  }
}
