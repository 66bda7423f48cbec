package io.attune.engine.tensor;

import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Calls into libtorch that may take long, so that a process can end between two of them.
 *
 * <p>The end of a process frees what operators and their threads still use: within a call it is a
 * crash. The JVM waits for native calls by itself, but for a third of a second alone.
 */
public final class NativeCalls {
  private static final ReentrantReadWriteLock GATE = new ReentrantReadWriteLock();

  private NativeCalls() {}

  /** Before a call; waits for ever once the process ends. */
  static void enter() {
    GATE.readLock().lock();
  }

  /** After a call, also one that failed. */
  static void leave() {
    GATE.readLock().unlock();
  }

  /**
   * Waits for the calls that run and lets none begin any more. For a shutdown hook: threads that
   * would go on wait until the process is gone.
   */
  public static void stop() {
    GATE.writeLock().lock();
  }
}
