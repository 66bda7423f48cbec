package io.attune.training.worker;

import io.attune.engine.CancelSignal;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Whether a worker has been asked to stop, by the end of its parent or by SIGTERM. It then stops
 * between steps: a process that ends within a step takes the tensor library's memory from under its
 * own threads, and crashes.
 */
final class StopSignal implements CancelSignal {
  /** How long a step may take to end: less than the 30 s after which SIGKILL usually follows. */
  static final Duration GRACE = Duration.ofSeconds(25);

  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean asked;

  /** Asks. */
  void ask() {
    asked = true;
  }

  @Override
  public boolean isCancelled() {
    return asked;
  }

  /**
   * Goes on unless asked to stop.
   *
   * @throws EngineException CANCELLED when asked
   */
  void check() {
    if (asked) {
      throw new EngineException(Reason.CANCELLED, "the worker was asked to stop");
    }
  }

  /** Says that no more is computed, so that the process may end. */
  void ended() {
    ended.countDown();
  }

  /** Asks, and holds the JVM's shutdown up until no more is computed. */
  void askAndWait() {
    ask();
    try {
      ended.await(GRACE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
