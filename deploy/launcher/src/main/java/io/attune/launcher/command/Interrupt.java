package io.attune.launcher.command;

import io.attune.engine.tensor.NativeCalls;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * How a process of the command ends at Ctrl-C or SIGTERM: between two computations, since its end
 * within one would be a crash.
 *
 * <p>Work that must stop at a point of its own choice listens; then the JVM ends only after {@link
 * #close}.
 */
public final class Interrupt implements AutoCloseable {
  /** The work that listens; null for none. */
  private static final AtomicReference<@Nullable Interrupt> LISTENING = new AtomicReference<>();

  private final CountDownLatch stopped = new CountDownLatch(1);
  private volatile boolean heard;

  private Interrupt() {}

  /** For the process's main method, before anything else. */
  public static void handle() {
    Runtime.getRuntime().addShutdownHook(new Thread(Interrupt::end, "interrupt"));
  }

  private static void end() {
    Interrupt work = LISTENING.get();
    if (work != null) {
      work.stop();
    }
    NativeCalls.stop();
  }

  /** One at a time. */
  static Interrupt listen() {
    Interrupt interrupt = new Interrupt();
    if (!LISTENING.compareAndSet(null, interrupt)) {
      throw new IllegalStateException("other work listens already");
    }
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
    LISTENING.set(null);
    stopped.countDown();
  }
}
