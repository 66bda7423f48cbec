package io.attune.launcher.local;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * The whole platform. Starts PostgreSQL and Kafka, then the services; stops them in the opposite
 * order, so that no consumer leaves a ghost in its group and no service loses its database.
 */
public final class Platform implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofMinutes(3);
  private static final int KAFKA_LIMIT_SECONDS = 90;
  private static final long KAFKA_STOP_MILLIS = 12_000;

  private final Settings settings;
  private final Progress progress;
  private final Deque<Runnable> stops = new ArrayDeque<>();
  private final CompletableFuture<String> failed = new CompletableFuture<>();
  private Endpoints endpoints;
  private LocalIssuer issuer;
  private boolean closed;

  private Platform(Settings settings, Progress progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /**
   * Starts everything and returns when all services are ready.
   *
   * @param data the open data folder; stays open when the platform closes
   * @throws LauncherException when a part does not start; the parts that did are stopped again
   */
  public static Platform start(Settings settings, DataFolder data, Progress progress) {
    ServiceCommand.checkBuilt(settings.home());
    Platform platform = new Platform(settings, progress);
    Thread hook = new Thread(platform::close, "stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      platform.startParts(data);
      return platform;
    } catch (RuntimeException e) {
      platform.close();
      throw e;
    }
  }

  private void startParts(DataFolder data) {
    endpoints = Endpoints.choose(settings.servingReplicas());
    progress.stage("starting PostgreSQL and Kafka");
    Map<String, List<String>> clients = new HashMap<>();
    for (ServiceKind kind : ServiceKind.values()) {
      clients.put(kind.clientId(), kind.roles());
    }
    issuer = LocalIssuer.start(data.folder("issuer"), endpoints.issuer(), clients);
    onStop(issuer::close);
    ChildProcess broker = Broker.start(data, endpoints.kafka(), endpoints.kafkaController());
    onStop(() -> broker.stop(KAFKA_STOP_MILLIS));
    Database database =
        Database.start(data, settings.home().resolve(".attune/cache"), endpoints.postgres());
    // PostgreSQL stops after Kafka, though it was started last: Kafka's stop lies above it.
    stopLast(database::close);
    Topics.create(endpoints.bootstrap(), settings.servingReplicas(), broker, KAFKA_LIMIT_SECONDS);
    broker.onExit().thenRun(() -> lost("Kafka ended, see " + broker.log()));
    database.onExit().thenRun(() -> lost("PostgreSQL ended, see " + data.folder("logs")));

    progress.stage("starting the services");
    data.folder("storage");
    ServiceCommand command = new ServiceCommand(settings, endpoints, issuer, database.jdbcUrl());
    Supervisor supervisor = new Supervisor(command, endpoints, data.folder("logs"), progress);
    onStop(supervisor::close);
    supervisor.givenUp().thenAccept(this::lost);
    supervisor.start(START_LIMIT);
  }

  /** A part's end is news only while nobody stops the parts. */
  private synchronized void lost(String reason) {
    if (!closed) {
      failed.complete(reason);
    }
  }

  private synchronized void onStop(Runnable stop) {
    if (closed) {
      stop.run();
      throw new LauncherException("stopped while starting");
    }
    stops.push(stop);
  }

  private synchronized void stopLast(Runnable stop) {
    if (closed) {
      stop.run();
      throw new LauncherException("stopped while starting");
    }
    stops.addLast(stop);
  }

  /** Where the parts listen. */
  public Endpoints endpoints() {
    return endpoints;
  }

  /** Mints tokens that the services accept. */
  public Tokens tokens() {
    return issuer.tokens();
  }

  /** Completes with the reason when a part is lost for good and the platform must stop. */
  public CompletableFuture<String> failed() {
    return failed;
  }

  /** Stops what has been started. Safe to call twice, and while starting. */
  @Override
  public void close() {
    Deque<Runnable> all;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      all = new ArrayDeque<>(stops);
    }
    progress.stage("stopping");
    for (Runnable stop : all) {
      try {
        stop.run();
      } catch (RuntimeException e) {
        progress.note("while stopping: " + e);
      }
    }
  }
}
