package io.attune.engine.fuzz;

import io.attune.engine.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Gives files to the reader of a format and judges how it takes them: it has to accept or to refuse
 * each, within five seconds.
 */
final class Trial implements AutoCloseable {
  private static final long LIMIT_MILLIS = 5000;
  private static final int LONGEST_MESSAGE = 2000;

  /**
   * @param refusal null if the file is accepted
   */
  record Verdict(@Nullable EngineException refusal, Watchdog.Time time) {}

  private final Format format;
  private final Path work;
  private final Watchdog watchdog = new Watchdog(LIMIT_MILLIS);

  /**
   * @param folder gets {@code FORMAT/current}, with the file that is being read: what is left there
   *     after a crash of the JVM is what crashed it
   */
  Trial(Format format, Path folder) throws IOException {
    this.format = format;
    this.work = Files.createDirectories(folder.resolve(format.name()).resolve("current"));
  }

  /** Throws what the reader must not throw, or an {@link AssertionError} where it hangs. */
  Verdict read(byte[] file) throws Throwable {
    AtomicReference<EngineException> refusal = new AtomicReference<>();
    Watchdog.Time time =
        watchdog.run(
            () -> {
              try {
                format.read(file, work);
              } catch (EngineException e) {
                requireReadable(e);
                refusal.set(e);
              }
            });
    return new Verdict(refusal.get(), time);
  }

  /** A refusal must say something, and not all that the file says. */
  private static void requireReadable(EngineException e) {
    if (e.getMessage().isBlank() || e.getMessage().length() > LONGEST_MESSAGE) {
      throw new AssertionError("unreadable message: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    watchdog.close();
  }
}
