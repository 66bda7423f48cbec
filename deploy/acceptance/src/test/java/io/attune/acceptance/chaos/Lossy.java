package io.attune.acceptance.chaos;

/** Loses every so many-th acknowledgement. Safe for all threads. */
final class Lossy {
  private final int every;
  private int seen;
  private int lost;

  Lossy(int every) {
    this.every = every;
  }

  /** Whether the acknowledgement that comes now gets lost. */
  synchronized boolean loses() {
    seen++;
    if (seen % every != 0) {
      return false;
    }
    lost++;
    return true;
  }

  synchronized int lost() {
    return lost;
  }
}
