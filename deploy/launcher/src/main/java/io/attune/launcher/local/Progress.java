package io.attune.launcher.local;

/** Where the launcher says what it does. Called from several threads. */
public interface Progress {
  /** A stage begins; the one before has ended. */
  void stage(String name);

  /**
   * How far the stage is.
   *
   * @param done units done
   * @param total units in all, 0 where unknown
   * @param detail what is being done, for people; may be empty
   */
  void step(long done, long total, String detail);

  /** Something to remember beside the stages, for example that a service died. */
  void note(String message);
}
