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
 * Keeps the services running: starts them, waits until they are ready, starts one again that died,
 * and gives up when one dies again and again. All its state belongs to its one thread.
 */
final class Supervisor implements AutoCloseable {
  private static final Duration HEALTH_INTERVAL = Duration.ofMillis(200);
  private static final Duration DEATHS_WINDOW = Duration.ofMinutes(2);
  private static final int DEATHS_ALLOWED = 3;

  /** More than the 30 s after which serving, whose requests take longest, ends itself. */
  private static final long STOP_MILLIS = 35_000;

  private final ServiceCommand command;
  private final List<ServiceReplica> replicas;
  private final Endpoints endpoints;
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
  private final Map<ServiceReplica, ServiceProcess> running = new HashMap<>();
  private final Map<ServiceReplica, Deque<Instant>> deaths = new HashMap<>();
  private final CompletableFuture<String> givenUp = new CompletableFuture<>();
  private boolean closing;

  Supervisor(ServiceCommand command, Endpoints endpoints, Path logs, Progress progress) {
    this.command = command;
    this.replicas = ServiceReplica.all(endpoints.servingReplicas().size());
    this.endpoints = endpoints;
    this.logs = logs;
    this.progress = progress;
  }

  /** Completes with the reason when a service cannot be kept running. */
  CompletableFuture<String> givenUp() {
    return givenUp;
  }

  /** Starts all services and waits until each is ready. */
  void start(Duration limit) {
    List<CompletableFuture<ServiceReplica>> ready = new ArrayList<>();
    for (ServiceReplica replica : replicas) {
      CompletableFuture<ServiceReplica> one = new CompletableFuture<>();
      givenUp.thenAccept(reason -> one.completeExceptionally(new LauncherException(reason)));
      thread.execute(() -> launch(replica, one));
      ready.add(one);
    }
    try {
      CompletableFuture.allOf(ready.toArray(CompletableFuture[]::new))
          .get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof LauncherException failure) {
        throw failure;
      }
      throw new LauncherException("the services do not start, see " + logs, e);
    } catch (TimeoutException e) {
      List<String> late = new ArrayList<>();
      for (int i = 0; i < ready.size(); i++) {
        if (!ready.get(i).isDone()) {
          late.add(replicas.get(i).id());
        }
      }
      throw new LauncherException(
          late + " not ready after " + limit.toSeconds() + " s, see " + logs, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LauncherException("interrupted while the services started", e);
    }
  }

  private void launch(ServiceReplica replica, CompletableFuture<ServiceReplica> ready) {
    if (closing) {
      return;
    }
    try {
      ServiceProcess service = ServiceProcess.start(replica, command, endpoints, logs);
      running.put(replica, service);
      service.process().onExit().thenRunAsync(() -> died(service, ready), thread);
      awaitReady(service, ready);
    } catch (LauncherException e) {
      givenUp.complete(e.getMessage());
    }
  }

  private void awaitReady(ServiceProcess service, CompletableFuture<ServiceReplica> ready) {
    if (closing || running.get(service.replica()) != service) {
      return;
    }
    // The probe may wait for seconds on a busy machine: not on the supervisor's thread.
    CompletableFuture.supplyAsync(() -> probe(service))
        .thenAcceptAsync(
            up -> {
              if (up) {
                progress.note(
                    service.replica().id() + " is ready on " + endpoints.url(service.replica()));
                ready.complete(service.replica());
              } else {
                thread.schedule(
                    () -> awaitReady(service, ready),
                    HEALTH_INTERVAL.toMillis(),
                    TimeUnit.MILLISECONDS);
              }
            },
            thread);
  }

  private static boolean probe(ServiceProcess service) {
    try {
      return service.ready();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void died(ServiceProcess service, CompletableFuture<ServiceReplica> ready) {
    ServiceReplica replica = service.replica();
    if (closing || running.get(replica) != service) {
      return;
    }
    running.remove(replica);
    Instant now = clock.instant();
    Deque<Instant> times = deaths.computeIfAbsent(replica, k -> new ArrayDeque<>());
    times.addLast(now);
    while (times.getFirst().isBefore(now.minus(DEATHS_WINDOW))) {
      times.removeFirst();
    }
    String what =
        replica.id()
            + " ended ("
            + service.process().ending()
            + "), see "
            + service.process().log();
    if (times.size() > DEATHS_ALLOWED) {
      givenUp.complete(what + "; it ended " + times.size() + " times within two minutes");
      return;
    }
    long delayMillis = 500L << (times.size() - 1);
    progress.note(what + "; starting it again in " + delayMillis + " ms");
    thread.schedule(() -> launch(replica, ready), delayMillis, TimeUnit.MILLISECONDS);
  }

  /** Stops all services at once and waits for them. */
  @Override
  public void close() {
    List<ServiceProcess> services =
        CompletableFuture.supplyAsync(
                () -> {
                  closing = true;
                  return List.copyOf(running.values());
                },
                thread)
            .join();
    CompletableFuture.allOf(
            services.stream()
                .map(s -> CompletableFuture.runAsync(() -> s.process().stop(STOP_MILLIS)))
                .toArray(CompletableFuture[]::new))
        .join();
    thread.shutdownNow();
  }
}
