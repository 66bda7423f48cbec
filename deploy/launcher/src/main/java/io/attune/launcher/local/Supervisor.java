package io.attune.launcher.local;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Keeps parts running: starts them, waits until they are ready, starts one again that died, and
 * gives up when one dies again and again. All its state belongs to its one thread.
 */
final class Supervisor implements AutoCloseable {
  private static final Duration HEALTH_INTERVAL = Duration.ofMillis(200);
  private static final Duration DEATHS_WINDOW = Duration.ofMinutes(2);
  private static final int DEATHS_ALLOWED = 3;

  /** More than the 30 s after which serving, whose requests take longest, ends itself. */
  private static final long STOP_MILLIS = 35_000;

  private final List<Part> parts;
  private final Path logs;
  private final Progress progress;
  private final InstantSource clock = InstantSource.system();
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          run -> {
            Thread thread = new Thread(run, "supervisor");
            thread.setDaemon(true);
            return thread;
          });
  private final Map<Part, Part.Run> running = new HashMap<>();
  private final Map<Part, Deque<Instant>> deaths = new HashMap<>();
  private final List<CompletableFuture<Part>> ready = new ArrayList<>();
  private final CompletableFuture<String> givenUp = new CompletableFuture<>();
  private boolean closing;

  Supervisor(List<Part> parts, Path logs, Progress progress) {
    this.parts = List.copyOf(parts);
    this.logs = logs;
    this.progress = progress;
  }

  /** Completes with the reason when a part cannot be kept running. */
  CompletableFuture<String> givenUp() {
    return givenUp;
  }

  /** Starts all parts, without waiting for them. */
  void start() {
    for (Part part : parts) {
      CompletableFuture<Part> one = new CompletableFuture<>();
      givenUp.thenAccept(reason -> one.completeExceptionally(new LauncherException(reason)));
      thread.execute(() -> launch(part, one));
      ready.add(one);
    }
  }

  /** Waits until each part is ready. */
  void awaitReady(Duration limit) {
    try {
      CompletableFuture.allOf(ready.toArray(CompletableFuture[]::new))
          .get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof LauncherException failure) {
        throw failure;
      }
      throw new LauncherException("not everything starts, see " + logs, e);
    } catch (TimeoutException e) {
      List<String> late = new ArrayList<>();
      for (int i = 0; i < ready.size(); i++) {
        if (!ready.get(i).isDone()) {
          late.add(parts.get(i).id());
        }
      }
      throw new LauncherException(
          late + " not ready after " + limit.toSeconds() + " s, see " + logs, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LauncherException("interrupted while the platform started", e);
    }
  }

  private void launch(Part part, CompletableFuture<Part> ready) {
    if (closing) {
      return;
    }
    try {
      Part.Run run = part.start();
      running.put(part, run);
      run.process().onExit().thenRunAsync(() -> died(part, run, ready), thread);
      awaitReady(part, run, ready);
    } catch (LauncherException e) {
      if (deaths.containsKey(part)) {
        // What it left behind may be in the way for a moment.
        again(part, e.getMessage(), ready);
      } else {
        givenUp.complete(e.getMessage());
      }
    }
  }

  private void awaitReady(Part part, Part.Run run, CompletableFuture<Part> ready) {
    if (closing || running.get(part) != run) {
      return;
    }
    // The probe may wait for seconds on a busy machine: not on the supervisor's thread.
    CompletableFuture.supplyAsync(() -> probe(run))
        .whenCompleteAsync(
            (up, failure) -> {
              if (running.get(part) != run) {
                return; // it died while it was asked
              }
              if (failure != null) {
                givenUp.complete(part.id() + " never gets ready: " + failure.getMessage());
              } else if (up) {
                progress.note(part.id() + " is ready on " + part.url());
                ready.complete(part);
              } else {
                thread.schedule(
                    () -> awaitReady(part, run, ready),
                    HEALTH_INTERVAL.toMillis(),
                    TimeUnit.MILLISECONDS);
              }
            },
            thread);
  }

  private static boolean probe(Part.Run run) {
    try {
      return run.ready();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void died(Part part, Part.Run run, CompletableFuture<Part> ready) {
    if (closing || running.get(part) != run) {
      return;
    }
    running.remove(part);
    again(
        part,
        part.id() + " ended (" + run.process().ending() + "), see " + run.process().log(),
        ready);
  }

  private void again(Part part, String what, CompletableFuture<Part> ready) {
    Instant now = clock.instant();
    Deque<Instant> times = deaths.computeIfAbsent(part, k -> new ArrayDeque<>());
    times.addLast(now);
    while (times.getFirst().isBefore(now.minus(DEATHS_WINDOW))) {
      times.removeFirst();
    }
    if (times.size() > DEATHS_ALLOWED) {
      givenUp.complete(what + "; that is " + times.size() + " times within two minutes");
      return;
    }
    long delayMillis = 500L << (times.size() - 1);
    progress.note(what + "; starting it again in " + delayMillis + " ms");
    thread.schedule(() -> launch(part, ready), delayMillis, TimeUnit.MILLISECONDS);
  }

  /** Stops all parts at once and waits for them. */
  @Override
  public void close() {
    List<Part.Run> runs =
        CompletableFuture.supplyAsync(
                () -> {
                  closing = true;
                  return List.copyOf(running.values());
                },
                thread)
            .join();
    CompletableFuture.allOf(
            runs.stream()
                .map(run -> CompletableFuture.runAsync(() -> run.process().stop(STOP_MILLIS)))
                .toArray(CompletableFuture[]::new))
        .join();
    thread.shutdownNow();
  }
}
