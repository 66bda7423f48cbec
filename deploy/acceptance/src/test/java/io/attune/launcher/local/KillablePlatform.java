package io.attune.launcher.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/**
 * The platform that the launcher runs, of the launcher's own parts, but for two things: the test,
 * not a supervisor, starts again what died; and services reach Kafka and PostgreSQL through ports
 * of the test's, where it can disturb them.
 */
public final class KillablePlatform implements AutoCloseable {
  /** Kafka's name among the parts. */
  public static final String BROKER = "kafka";

  /** PostgreSQL's name among the parts. */
  public static final String DATABASE = "postgres";

  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final int STOP_MILLIS = 40_000;
  private static final int SHOWN_LINES = 80;

  /** So that each consumer of two processes of ingestion has one. */
  private static final int PARTITIONS = 4;

  /** Small batches: many transactions, so that many are under way when something dies. */
  private static final Map<String, Map<String, String>> SETTINGS =
      Map.of("ingestion", Map.of("attune.ingestion.rating-batch", "50"));

  private final DataFolder data;
  private final Settings settings;
  private final Ports ports = new Ports();
  private final int kafka = ports.take(19092);
  private final int disturbedKafka = ports.take(19192);
  private final int controller = ports.take(19292);
  private final int postgres = ports.take(15433);
  private final Map<String, ServiceReplica> replicas = new ConcurrentSkipListMap<>();
  private final Map<String, Endpoints> endpoints = new ConcurrentSkipListMap<>();
  private final Map<String, ServiceProcess> services = new ConcurrentSkipListMap<>();
  private final Set<String> suspended = ConcurrentHashMap.newKeySet();
  private int disturbedKafkaProxy;
  private Broker broker;
  private Part.Run brokerRun;
  private Database database;
  private Part.Run databaseRun;
  private LocalIssuer issuer;
  private String jdbcUrl;

  /** Chooses ports; starts nothing. */
  public KillablePlatform(Path home, Path folder, Path model) {
    this.data = DataFolder.open(folder);
    this.settings = new Settings(home, data.root(), model, 1, IssuerKind.BUILT_IN, SETTINGS);
  }

  /** The port of Kafka that nothing disturbs. */
  public int kafka() {
    return kafka;
  }

  /** The port of Kafka that whoever comes by way of the test's proxy ends at. */
  public int disturbedKafka() {
    return disturbedKafka;
  }

  /** The port of PostgreSQL that nothing disturbs. */
  public int postgres() {
    return postgres;
  }

  /** The port of a process of a service; of one that does not hang. */
  public int port(String service) {
    String name = working(service);
    return endpoints.get(name).port(replicas.get(name));
  }

  /** The URL of a process of a service; of one that does not hang. */
  public String url(String service) {
    String name = working(service);
    return endpoints.get(name).url(replicas.get(name));
  }

  private String working(String service) {
    return services.keySet().stream()
        .filter(name -> replicas.get(name).kind().id().equals(service))
        .filter(name -> !suspended.contains(name))
        .findFirst()
        .orElseThrow();
  }

  /** Mints tokens that the services accept. */
  public Tokens tokens() {
    return issuer.tokens();
  }

  /** All that can be killed. */
  public List<String> parts() {
    return Stream.concat(Stream.of(BROKER, DATABASE), services.keySet().stream()).toList();
  }

  /**
   * Starts everything.
   *
   * @param kafkaProxy the port that services are told is Kafka's
   * @param postgresProxy the port that services are told is PostgreSQL's
   */
  public void start(int kafkaProxy, int postgresProxy) {
    disturbedKafkaProxy = kafkaProxy;
    ServiceCommand.checkBuilt(settings.home());
    int issuerPort = ports.take(18180);
    issuer = LocalIssuer.start(data.folder("issuer"), issuerPort);
    broker = new Broker(data, kafka, controller, PARTITIONS, listeners());
    database = new Database(data, settings.home().resolve(".attune/cache"), postgres);
    restart(BROKER);
    restart(DATABASE);
    awaitReady(BROKER);
    data.folder("storage");
    Endpoints first =
        new Endpoints(
            List.of(ports.take(18080)),
            ports.take(18081),
            ports.take(18082),
            ports.take(18083),
            issuerPort,
            kafkaProxy,
            controller,
            postgresProxy);
    // In the clear, so that the proxy can read what passes.
    jdbcUrl =
        "jdbc:postgresql://127.0.0.1:%d/postgres?sslmode=disable&gssEncMode=disable"
            .formatted(postgresProxy);
    for (ServiceReplica one : ServiceReplica.all(1)) {
      startService(one, first);
    }
    List.copyOf(services.keySet()).forEach(this::awaitReady);
  }

  /**
   * Starts a second process of a service and waits until it is ready.
   *
   * @return its name
   */
  public String addReplica(String service) {
    ServiceKind kind = ServiceKind.valueOf(service.toUpperCase(Locale.ROOT));
    Endpoints one = endpoints.get(service);
    int port = ports.take(18090);
    Endpoints moved =
        new Endpoints(
            one.servingReplicas(),
            kind == ServiceKind.INGESTION ? port : one.ingestion(),
            one.reward(),
            kind == ServiceKind.TRAINING ? port : one.training(),
            one.issuer(),
            one.kafka(),
            one.kafkaController(),
            one.postgres());
    ServiceReplica second = new ServiceReplica(kind, 2);
    assertThat(moved.url(second)).as("only ingestion and training").isNotEqualTo(one.url(second));
    startService(second, moved);
    awaitReady(second.id());
    return second.id();
  }

  /** Ends the second process of a service in order, for good. */
  public void removeReplica(String service) {
    services.remove(service + "-2").process().stop(STOP_MILLIS);
  }

  /** Kills a part with signal 9, and returns when none of its processes is left. */
  public void kill(String part) throws Exception {
    ProcessHandle process = living(part);
    // PostgreSQL's backends would end by themselves, in order; here none has the time to.
    List<ProcessHandle> all =
        part.equals(DATABASE)
            ? Stream.concat(Stream.of(process), process.descendants()).toList()
            : List.of(process);
    all.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle one : all) {
      one.onExit().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }
  }

  /** Starts a killed part again, without waiting for it. */
  public void restart(String part) {
    switch (part) {
      case BROKER -> brokerRun = broker.start();
      case DATABASE -> databaseRun = database.start();
      default -> startService(replicas.get(part), endpoints.get(part));
    }
  }

  /** Waits until a part answers. A service that gave up meanwhile is started again. */
  public void awaitReady(String part) {
    try {
      await(part + " to be ready")
          .atMost(LIMIT)
          .until(
              () -> {
                if (services.containsKey(part) && process(part).isEmpty()) {
                  restart(part);
                }
                return run(part).ready();
              });
    } catch (ConditionTimeoutException never) {
      // The folder is gone by the time at which somebody reads this.
      throw new AssertionError(part + " is not ready; its log ends:\n" + endOfLog(part), never);
    }
  }

  private String endOfLog(String part) {
    try {
      List<String> lines = Files.readAllLines(data.root().resolve("logs").resolve(part + ".log"));
      return String.join(
          "\n", lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size()));
    } catch (IOException unreadable) {
      return unreadable.toString();
    }
  }

  /** Stops a process where it is, as a machine that hangs does (SIGSTOP). */
  public void suspend(String part) throws Exception {
    signal("STOP", living(part));
    suspended.add(part);
  }

  /** Lets it go on (SIGCONT). */
  public void resume(String part) throws Exception {
    signal("CONT", living(part));
    suspended.remove(part);
  }

  private static void signal(String name, ProcessHandle process)
      throws IOException, InterruptedException {
    int status =
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    assertThat(status).as("kill -%s", name).isZero();
  }

  private Part.Run run(String part) {
    return switch (part) {
      case BROKER -> brokerRun;
      case DATABASE -> databaseRun;
      default -> services.get(part);
    };
  }

  private Optional<ProcessHandle> process(String part) {
    return ProcessHandle.of(run(part).process().pid()).filter(ProcessHandle::isAlive);
  }

  private ProcessHandle living(String part) {
    return process(part)
        .orElseThrow(() -> new AssertionError(part + " ended by itself, see " + data.root()));
  }

  private Map<String, String> listeners() {
    return Map.of(
        "listeners",
        "PLAINTEXT://127.0.0.1:%d,DISTURBED://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d"
            .formatted(kafka, disturbedKafka, controller),
        "advertised.listeners",
        "PLAINTEXT://127.0.0.1:%d,DISTURBED://127.0.0.1:%d".formatted(kafka, disturbedKafkaProxy),
        "listener.security.protocol.map",
        "PLAINTEXT:PLAINTEXT,DISTURBED:PLAINTEXT,CONTROLLER:PLAINTEXT");
  }

  private void startService(ServiceReplica one, Endpoints where) {
    ServiceCommand command = new ServiceCommand(settings, where, issuer, jdbcUrl);
    replicas.put(one.id(), one);
    endpoints.put(one.id(), where);
    services.put(one.id(), ServiceProcess.start(one, command, where, data.folder("logs")));
  }

  @Override
  public void close() {
    List<Runnable> stops = new ArrayList<>();
    services.values().forEach(one -> stops.add(() -> one.process().stop(STOP_MILLIS)));
    for (Part.Run one : new Part.Run[] {brokerRun, databaseRun}) {
      if (one != null) {
        stops.add(() -> one.process().stop(STOP_MILLIS));
      }
    }
    if (database != null) {
      stops.add(database::close);
    }
    if (issuer != null) {
      stops.add(issuer::close);
    }
    stops.add(data::close);
    RuntimeException failure = null;
    for (Runnable stop : stops) {
      try {
        stop.run();
      } catch (RuntimeException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
