package io.attune.platform.error;

import java.nio.file.FileSystemException;
import java.sql.SQLException;
import java.util.List;
import org.apache.kafka.common.errors.ApiException;

/**
 * A failure as logs may have it: what it was and where, all the way down, but of its messages only
 * those that cannot quote what people wrote. Parsers quote their input, so that a stranger's
 * message is user text until the contrary is known.
 */
public final class Loggable extends Exception {

  private static final long serialVersionUID = 1L;

  /** Of these the messages are about places, names and states: of files, brokers, databases. */
  private static final List<Class<?>> SILENT_ABOUT_TEXT =
      List.of(FileSystemException.class, SQLException.class, ApiException.class);

  private Loggable(String message, Throwable of, Loggable cause) {
    super(message, cause, true, true);
    setStackTrace(of.getStackTrace());
  }

  /** The failure without what may be user text; null for null. */
  public static Loggable of(Throwable failure) {
    return of(failure, 0);
  }

  private static Loggable of(Throwable failure, int depth) {
    if (failure == null || depth > 20) {
      return null;
    }
    return new Loggable(said(failure), failure, of(failure.getCause(), depth + 1));
  }

  private static String said(Throwable failure) {
    String name = failure.getClass().getName();
    boolean harmless = SILENT_ABOUT_TEXT.stream().anyMatch(type -> type.isInstance(failure));
    return harmless ? name + ": " + failure.getMessage() : name;
  }

  @Override
  public String toString() {
    return getMessage();
  }
}
