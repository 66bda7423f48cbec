package io.attune.launcher.local;

/** Something that the supervisor keeps running, in one process after the other. */
interface Part {

  /** Its name: in logs, of its files, and among the other parts. */
  String id();

  /** Where it listens, for people. */
  String url();

  /**
   * Starts its process.
   *
   * @throws LauncherException when that cannot be done
   */
  Run start();

  /** One run of a part. */
  interface Run {
    RunningProcess process();

    /** Whether this very process, and no other that took its port, is ready. May wait for it. */
    boolean ready() throws InterruptedException;
  }
}
