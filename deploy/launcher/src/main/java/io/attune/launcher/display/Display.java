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
  private static final int SHORTEST_BAR = 6;
  private static final Duration REDRAW = Duration.ofMillis(100);

  private final PrintStream out;
  private final boolean terminal;
  private final int columns;
  private final InstantSource clock;
  private final Instant start;
  private String stage;
  private Instant stageStart;
  private Instant drawn = Instant.EPOCH;
  private String last = "";

  /** Where the stage stood when it was first heard of: a resumed run does not start at zero. */
  private long firstDone;

  private Instant firstHeard;

  Display(PrintStream out, boolean terminal, int columns, InstantSource clock) {
    this.out = out;
    this.terminal = terminal;
    this.columns = columns;
    this.clock = clock;
    this.start = clock.instant();
    this.stageStart = start;
  }

  /**
   * Draws where a standard stream is a terminal that can move its cursor. The {@code attune} script
   * says whether it is: Java 17 can tell of both streams together only, Java 22 of neither.
   */
  public static Display of(PrintStream out) {
    String term = System.getenv("TERM");
    String stream = out == System.err ? "err" : "out";
    boolean terminal = Boolean.getBoolean("attune.terminal." + stream);
    int columns = Integer.getInteger("attune.columns", 0);
    return new Display(
        out,
        terminal && term != null && !term.equals("dumb"),
        columns > 0 ? columns : 80, // some terminals say 0
        InstantSource.system());
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
    firstHeard = null;
    if (terminal) {
      draw("", -1, "");
    }
  }

  @Override
  public synchronized void step(long done, long total, String detail) {
    last = total > 0 ? done + "/" + total + " " + detail : detail;
    Instant now = clock.instant();
    if (firstHeard == null) {
      firstHeard = now;
      firstDone = done;
    }
    if (terminal && stage != null && Duration.between(drawn, now).compareTo(REDRAW) >= 0) {
      drawn = now;
      draw(
          total > 0 ? count(done, total, now) : "", total > 0 ? (double) done / total : -1, detail);
    }
  }

  @Override
  public synchronized void note(String message) {
    clear();
    out.println("  " + message);
    if (terminal && stage != null) {
      draw("", -1, "");
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

  /** How far, how fast, how long still. */
  private String count(long done, long total, Instant now) {
    double seconds = Duration.between(firstHeard, now).toMillis() / 1000.0;
    if (done == firstDone || seconds == 0) {
      return done + "/" + total;
    }
    double rate = (done - firstDone) / seconds;
    return String.format(
        Locale.ROOT,
        "%d/%d, %s, %s left",
        done,
        total,
        String.format(
            Locale.ROOT, rate >= 1 ? "%.1f/s" : "%.1f s each", rate >= 1 ? rate : 1 / rate),
        span(Duration.ofMillis((long) (1000 * Math.max(0, total - done) / rate))));
  }

  /** The bar takes the room that is left; a line that wraps could not be drawn over. */
  private void draw(String count, double share, String detail) {
    clear();
    String head =
        String.format(
            Locale.ROOT, "%6s  %s  ", span(Duration.between(stageStart, clock.instant())), stage);
    String tail = count.isEmpty() ? detail : count + "  " + detail;
    int room = Math.min(BAR, columns - 1 - head.length() - tail.length() - 3);
    if (share >= 0 && room >= SHORTEST_BAR) {
      int full = (int) (room * Math.min(1, share));
      head += "[" + "=".repeat(full) + " ".repeat(room - full) + "] ";
    }
    String line = head + tail;
    out.print(line.length() < columns ? line : line.substring(0, columns - 1));
    out.flush();
  }

  private void clear() {
    if (terminal) {
      out.print("\r\u001b[2K");
    }
  }

  private static String span(Duration duration) {
    long seconds = Math.max(0, duration.toMillis() / 1000);
    if (seconds >= 3600) {
      return String.format(Locale.ROOT, "%dh%02dm", seconds / 3600, seconds / 60 % 60);
    }
    return seconds >= 60
        ? String.format(Locale.ROOT, "%dm%02ds", seconds / 60, seconds % 60)
        : String.format(Locale.ROOT, "%.1fs", Math.max(0, duration.toMillis()) / 1000.0);
  }
}
