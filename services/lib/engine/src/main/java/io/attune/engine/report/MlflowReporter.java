package io.attune.engine.report;

import io.attune.engine.EngineException;
import io.attune.engine.report.MlflowClient.Metric;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reports to an MLflow server from a thread of its own: a server that is slow or away delays no
 * step. What could not be sent is kept and sent later; what is lost in the end is said.
 */
final class MlflowReporter implements Reporter {
  /** Values kept for a server that is away: about 20 MB. */
  private static final int MOST_WAITING = 200_000;

  /** Calls in vain after the run's end. */
  private static final int LAST_TRIES = 3;

  /**
   * How patient to be.
   *
   * @param between two calls that send metrics, so that quick steps share one
   * @param firstWait after a call in vain; doubles with each
   * @param longestWait which it does not exceed
   * @param call a whole call
   * @param end to send the rest once the run has ended
   */
  record Pace(
      Duration between, Duration firstWait, Duration longestWait, Duration call, Duration end) {
    static final Pace DEFAULT =
        new Pace(
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            Duration.ofMinutes(1),
            Duration.ofSeconds(10),
            Duration.ofSeconds(30));
  }

  private final MlflowSettings settings;
  private final Path folder;
  private final Map<String, String> parameters;
  private final Consumer<String> notices;
  private final Pace pace;

  /** What the sending thread says; told by the training thread, as listeners expect. */
  private final Queue<String> said = new ConcurrentLinkedQueue<>();

  private @Nullable Thread sender;

  // The sending thread's own.
  private boolean saidAway;
  private boolean saidRefused;

  // Under this object's lock.
  private final Deque<Metric> waiting = new ArrayDeque<>();
  private @Nullable Outcome outcome;
  private boolean gaveUp;
  private long lost;

  MlflowReporter(
      MlflowSettings settings,
      Path folder,
      Map<String, String> parameters,
      Consumer<String> notices,
      Pace pace) {
    this.settings = settings;
    this.folder = folder;
    this.parameters = new TreeMap<>(parameters);
    this.notices = notices;
    this.pace = pace;
  }

  @Override
  public void step(int step, Map<String, Double> metrics) {
    long now = System.currentTimeMillis();
    synchronized (this) {
      metrics.forEach((key, value) -> waiting.add(new Metric(key, value, now, step)));
      while (waiting.size() > (gaveUp ? 0 : MOST_WAITING)) {
        waiting.remove();
        lost++;
      }
      notifyAll();
    }
    if (sender == null) {
      sender = start(step);
    }
    tell();
  }

  @Override
  public void end(Outcome how) {
    if (sender == null) {
      if (how != Outcome.FINISHED) {
        return; // no step was done
      }
      sender = start(MlflowSession.NO_STEP);
    }
    synchronized (this) {
      outcome = how;
      notifyAll();
    }
    try {
      sender.join(pace.end().toMillis());
      sender.interrupt();
      sender.join(pace.call().toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    tell();
    synchronized (this) {
      lost += waiting.size();
      if (lost > 0) {
        notices.accept(
            "MLflow did not get "
                + lost
                + " values. All are in metrics.jsonl; the same command sends what is missing");
      }
    }
  }

  private void tell() {
    for (String message = said.poll(); message != null; message = said.poll()) {
      notices.accept(message);
    }
  }

  private Thread start(int firstStep) {
    MlflowSession session =
        new MlflowSession(
            settings,
            new MlflowClient(settings, pace.call()),
            folder,
            parameters,
            firstStep,
            said::add);
    Thread thread = new Thread(() -> send(session), "mlflow");
    thread.setDaemon(true); // a server that does not answer must not keep the process
    thread.start();
    return thread;
  }

  private void send(MlflowSession session) {
    try {
      while (exchange(session)) {
        pause(pace.between(), false);
      }
    } catch (InterruptedException e) {
      // The run has ended, and the time for what was left is over.
    } catch (EngineException e) {
      said.add("nothing more is sent to MLflow: " + e.getMessage());
    }
    synchronized (this) {
      gaveUp = true;
    }
  }

  /** Sends what is there, sooner or later; false if nothing more is to be sent. */
  private boolean exchange(MlflowSession session) throws InterruptedException {
    List<Metric> batch = next();
    Duration wait = pace.firstWait();
    for (int last = 1; ; ) {
      boolean ended = ended();
      try {
        if (batch.isEmpty()) {
          session.finish(outcome());
          return false;
        }
        session.deliver(batch);
        forget(batch, false);
        return true;
      } catch (MlflowException e) {
        if (!e.isPassing()) {
          if (!saidRefused) {
            said.add("MLflow refuses what it is told: " + e.getMessage());
          }
          saidRefused = true;
          forget(batch, true);
          return session.isConnected() && !batch.isEmpty();
        }
        if (!saidAway) {
          said.add(
              "cannot report to MLflow at "
                  + settings.trackingUri()
                  + " ("
                  + e.getMessage()
                  + "); training goes on, and what is not sent is kept for later");
        }
        saidAway = true;
        if (ended && last++ == LAST_TRIES) {
          return false;
        }
        pause(wait, ended);
        wait = ended() && !ended ? pace.firstWait() : longer(wait);
      }
    }
  }

  private Duration longer(Duration wait) {
    Duration doubled = wait.multipliedBy(2);
    return doubled.compareTo(pace.longestWait()) > 0 ? pace.longestWait() : doubled;
  }

  /** The values to send next; none if there will be none. */
  private synchronized List<Metric> next() throws InterruptedException {
    while (waiting.isEmpty() && outcome == null) {
      wait();
    }
    return MlflowClient.batch(waiting);
  }

  private synchronized void forget(List<Metric> batch, boolean isLost) {
    // Some may have been dropped meanwhile, and counted as lost, to make room.
    for (Metric metric : batch) {
      if (waiting.peek() == metric) {
        waiting.remove();
        lost += isLost ? 1 : 0;
      }
    }
  }

  private synchronized boolean ended() {
    return outcome != null;
  }

  private synchronized Outcome outcome() {
    return Objects.requireNonNull(outcome);
  }

  /** Waits; without {@code evenAtEnd} no longer than until the run's end. */
  private synchronized void pause(Duration time, boolean evenAtEnd) throws InterruptedException {
    long end = System.nanoTime() + time.toNanos();
    for (long left = time.toNanos();
        left > 0 && (evenAtEnd || outcome == null);
        left = end - System.nanoTime()) {
      wait(left / 1_000_000, (int) (left % 1_000_000));
    }
  }
}
