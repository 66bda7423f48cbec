package io.attune.launcher.display;

import io.attune.launcher.local.Progress;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;

/**
 * Stages, one line each. On a terminal the current line is drawn over and over, with a bar, the
 * rate and the time that is left; elsewhere only what has ended is printed.
 */
public final class Display implements Progress {
  private static final int BAR = 24;
  private static final Duration REDRAW = Duration.ofMillis(100);

  private final PrintStream out;
  private final boolean terminal;
  private final InstantSource clock = InstantSource.system();
  private final Instant start = clock.instant();
  private String stage;
  private Instant stageStart = start;
  private Instant drawn = Instant.EPOCH;
  private String last = "";

  private Display(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** Draws where standard output is a terminal that can move its cursor. */
  public static Display of(PrintStream out) {
    String term = System.getenv("TERM");
    return new Display(out, System.console() != null && term != null && !term.equals("dumb"));
  }

  /** Whether steps are shown as they come; else the caller may print what matters. */
  public boolean redraws() {
    return terminal;
  }

  @Override
  public synchronized void stage(String name) {
    endStage();
    stage = name;
    stageStart = clock.instant();
    if (terminal) {
      draw("");
    }
  }

  @Override
  public synchronized void step(long done, long total, String detail) {
    last = total > 0 ? done + "/" + total + " " + detail : detail;
    Instant now = clock.instant();
    if (terminal && stage != null && Duration.between(drawn, now).compareTo(REDRAW) >= 0) {
      drawn = now;
      draw(bar(done, total, now) + detail);
    }
  }

  @Override
  public synchronized void note(String message) {
    clear();
    out.println("  " + message);
    if (terminal && stage != null) {
      draw("");
    }
  }

  /** Ends the last stage. */
  public synchronized void done(String message) {
    endStage();
    stage = null;
    out.printf(
        Locale.ROOT,
        "%n== %s, after %s%n%n",
        message,
        span(Duration.between(start, clock.instant())));
  }

  private void endStage() {
    if (stage != null) {
      clear();
      String detail = last.isEmpty() ? "" : "  (" + last + ")";
      out.printf(
          Locale.ROOT,
          "%6s  %s%s%n",
          span(Duration.between(stageStart, clock.instant())),
          stage,
          detail);
    }
    last = "";
  }

  private String bar(long done, long total, Instant now) {
    if (total <= 0) {
      return "";
    }
    int full = (int) (BAR * Math.min(done, total) / total);
    double seconds = Duration.between(stageStart, now).toMillis() / 1000.0;
    double rate = done / Math.max(seconds, 0.001);
    String left =
        done > 0
            ? ", " + span(Duration.ofMillis((long) (1000 * (total - done) / rate))) + " left"
            : "";
    return String.format(
        Locale.ROOT,
        "[%s%s] %d/%d %.1f/s%s  ",
        "=".repeat(full),
        " ".repeat(BAR - full),
        done,
        total,
        rate,
        left);
  }

  private void draw(String detail) {
    clear();
    String line =
        String.format(
            Locale.ROOT,
            "%6s  %s  %s",
            span(Duration.between(stageStart, clock.instant())),
            stage,
            detail);
    // A line that wraps could not be drawn over.
    out.print(line.length() > 118 ? line.substring(0, 118) : line);
    out.flush();
  }

  private void clear() {
    if (terminal) {
      out.print("\r\u001b[2K");
    }
  }

  private static String span(Duration duration) {
    long seconds = Math.max(0, duration.toMillis() / 1000);
    return seconds >= 60
        ? String.format(Locale.ROOT, "%dm%02ds", seconds / 60, seconds % 60)
        : String.format(Locale.ROOT, "%.1fs", Math.max(0, duration.toMillis()) / 1000.0);
  }
}
