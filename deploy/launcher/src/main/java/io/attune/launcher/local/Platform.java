package io.attune.launcher.local;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * The whole platform. Starts the issuer, PostgreSQL and Kafka, then the services; stops them in the
 * opposite order, so that no consumer leaves a ghost in its group and no service loses its
 * database. Whatever dies in between is started again.
 */
public final class Platform implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofMinutes(3);

  private final Settings settings;
  private final Progress progress;
  private final Deque<Runnable> stops = new ArrayDeque<>();
  private final CompletableFuture<String> failed = new CompletableFuture<>();
  private Endpoints endpoints;
  private Issuer issuer;
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
    // Keycloak takes longest and nobody needs it before the first call: it starts beside the rest.
    Supervisor issuers = startIssuer(data);
    progress.stage("starting PostgreSQL and Kafka");
    Database database =
        new Database(data, settings.home().resolve(".attune/cache"), endpoints.postgres());
    onStop(database::close);
    supervise(List.of(broker(data), database), data).awaitReady(START_LIMIT);

    progress.stage("starting the services");
    data.folder("storage");
    ServiceCommand command = new ServiceCommand(settings, endpoints, issuer, database.jdbcUrl());
    List<Part> services =
        ServiceReplica.all(endpoints.servingReplicas().size()).stream()
            .<Part>map(one -> new ServicePart(one, command, endpoints, data.folder("logs")))
            .toList();
    supervise(services, data).awaitReady(START_LIMIT);
    if (settings.issuer() == IssuerKind.KEYCLOAK) {
      progress.stage("waiting for Keycloak");
    }
    issuers.awaitReady(START_LIMIT);
  }

  private Broker broker(DataFolder data) {
    return new Broker(
        data, endpoints.kafka(), endpoints.kafkaController(), settings.servingReplicas(), Map.of());
  }

  /** Starts the issuer; a Keycloak is ready later. */
  private Supervisor startIssuer(DataFolder data) {
    List<Part> parts =
        switch (settings.issuer()) {
          case BUILT_IN -> {
            LocalIssuer builtIn = LocalIssuer.start(data.folder("issuer"), endpoints.issuer());
            onStop(builtIn::close);
            issuer = builtIn;
            yield List.of();
          }
          case KEYCLOAK -> {
            Keycloak keycloak =
                Keycloak.prepare(settings.home(), data, endpoints.issuer(), progress);
            issuer = keycloak;
            yield List.of(keycloak);
          }
        };
    new IssuerFile(settings.issuer(), issuer.url()).write(data.root());
    return supervise(parts, data);
  }

  private Supervisor supervise(List<Part> parts, DataFolder data) {
    Supervisor supervisor = new Supervisor(parts, data.folder("logs"), progress);
    onStop(supervisor::close);
    supervisor.givenUp().thenAccept(this::lost);
    supervisor.start();
    return supervisor;
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
