package io.attune.launcher.local;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/** A process that the launcher is responsible for, whether it is its child or not. */
interface RunningProcess {
  long pid();

  /** Where its output goes. */
  Path log();

  /** Completes when it ends. */
  CompletableFuture<?> onExit();

  /** How it ended, in words. */
  String ending();

  /** Asks it to end; kills it after the limit. */
  void stop(long limitMillis);
}
