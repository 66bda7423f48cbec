package io.attune.launcher.hub;

import io.attune.launcher.local.LauncherException;
import io.attune.launcher.local.Progress;
import java.io.IOException;

/** Repeats what failed for a passing reason, a bounded number of times, with growing pauses. */
final class Retries {
  /** Asks a server once. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws IOException;
  }

  private static final int MAX_FAILURES = 5;

  private final HubSettings settings;
  private final Progress progress;
  private int failures;

  Retries(HubSettings settings, Progress progress) {
    this.settings = settings;
    this.progress = progress;
  }

  <T> T run(Attempt<T> attempt) throws IOException {
    while (true) {
      try {
        return attempt.run();
      } catch (TransientException e) {
        pause(e);
      }
    }
  }

  /** The failures so far have been made up for. */
  void progressed() {
    failures = 0;
  }

  private void pause(TransientException failure) throws TransientException {
    if (++failures == MAX_FAILURES) {
      throw failure;
    }
    progress.note(failure.getMessage() + "; trying again");
    try {
      Thread.sleep(settings.retryDelay().toMillis() << failures - 1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LauncherException("interrupted", e);
    }
  }
}
