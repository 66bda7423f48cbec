package io.attune.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jboss.logmanager.ExtLogRecord;

/**
 * Everything that is logged in this JVM while it is open, whole: messages with their arguments,
 * stack traces, context. Attune's own categories are heard from DEBUG on, so that what people
 * switch on when they look for an error is held to the same rule.
 */
public final class LogCapture implements AutoCloseable {

  private static final Logger ROOT = Logger.getLogger("");
  private static final Logger OWN = Logger.getLogger("io.attune");

  private final Queue<String> lines = new ConcurrentLinkedQueue<>();
  private final Handler handler = new Lines();
  private final Level before = OWN.getLevel();

  private LogCapture() {
    handler.setLevel(Level.ALL);
    ROOT.addHandler(handler);
    OWN.setLevel(Level.FINE);
  }

  /** Begins to listen. */
  public static LogCapture start() {
    return new LogCapture();
  }

  /** What was logged so far, an entry a record. */
  public List<String> lines() {
    return List.copyOf(lines);
  }

  /**
   * Fails if a word was logged, or if nothing would have been heard.
   *
   * @param canary a word that stands in nothing but user text
   */
  public void assertNever(String canary) {
    String proof = "heard " + System.nanoTime();
    Logger.getLogger(LogCapture.class.getName()).info(proof);
    assertThat(lines).anyMatch(line -> line.contains(proof));
    assertThat(lines).noneMatch(line -> line.contains(canary));
  }

  @Override
  public void close() {
    ROOT.removeHandler(handler);
    OWN.setLevel(before);
  }

  private final class Lines extends Handler {
    @Override
    public void publish(LogRecord logged) {
      ExtLogRecord whole = ExtLogRecord.wrap(logged);
      StringWriter text = new StringWriter();
      text.append(whole.getLoggerName()).append(' ').append(whole.getFormattedMessage());
      text.append(' ').append(whole.getMdcCopy().toString());
      if (logged.getThrown() != null) {
        logged.getThrown().printStackTrace(new PrintWriter(text, true));
      }
      lines.add(text.toString());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
