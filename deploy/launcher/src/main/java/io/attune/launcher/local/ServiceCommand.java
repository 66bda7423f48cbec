package io.attune.launcher.local;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How a service's process is started: its command line and, for secrets, its environment. */
final class ServiceCommand {
  /**
   * Response header by which a health answer is known to come from the process that was started.
   */
  static final String INSTANCE_HEADER = "X-Attune-Instance";

  private static final int THREADS = 2;

  private final Settings settings;
  private final Endpoints endpoints;
  private final Issuer issuer;
  private final String jdbcUrl;

  ServiceCommand(Settings settings, Endpoints endpoints, Issuer issuer, String jdbcUrl) {
    this.settings = settings;
    this.endpoints = endpoints;
    this.issuer = issuer;
    this.jdbcUrl = jdbcUrl;
  }

  /**
   * The command line.
   *
   * @param instance names the process; it answers with it in {@link #INSTANCE_HEADER}
   */
  List<String> line(ServiceReplica replica, String instance) {
    ServiceKind service = replica.kind();
    List<String> line = new ArrayList<>();
    line.add(JavaCommand.executable());
    line.add("-Xmx" + service.heap());
    line.add("-XX:+UseSerialGC");
    line.add("-XX:TieredStopAtLevel=1");
    line.add("-XX:+ExitOnOutOfMemoryError");
    line.add("--enable-native-access=ALL-UNNAMED");
    Map<String, String> properties = properties(replica);
    properties.put("quarkus.http.header.\"" + INSTANCE_HEADER + "\".value", instance);
    properties.putAll(settings.services().getOrDefault(service.id(), Map.of()));
    properties.forEach((key, value) -> line.add("-D" + key + "=" + value));
    line.add("-jar");
    line.add(jar(settings.home(), service).toString());
    return line;
  }

  /** What only the process and its owner may read. */
  Map<String, String> environment(ServiceKind service) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("QUARKUS_OIDC_CLIENT_CREDENTIALS_SECRET", issuer.secret(service));
    environment.put("OPT_OUT_TRACKING", "true");
    return environment;
  }

  /** Fails when a service has not been built. */
  static void checkBuilt(Path home) {
    for (ServiceKind service : ServiceKind.values()) {
      Path jar = jar(home, service);
      if (!Files.exists(jar)) {
        throw new LauncherException(jar + " is missing: build it with ./mvnw -Dquick package");
      }
    }
  }

  private static Path jar(Path home, ServiceKind service) {
    return home.resolve("services/" + service.id() + "/target/quarkus-app/quarkus-run.jar");
  }

  /** Replicas share the threads that one process would have. */
  private int threads(ServiceKind service) {
    int replicas = service == ServiceKind.SERVING ? settings.servingReplicas() : 1;
    return Math.max(1, THREADS / replicas);
  }

  private Map<String, String> properties(ServiceReplica replica) {
    ServiceKind service = replica.kind();
    Map<String, String> p = new LinkedHashMap<>();
    p.put("quarkus.profile", "prod");
    p.put("quarkus.http.host", "127.0.0.1");
    p.put("quarkus.http.port", Integer.toString(endpoints.port(replica)));
    p.put("attune.parent-watch", "true");
    p.put("kafka.bootstrap.servers", endpoints.bootstrap());
    p.put("quarkus.oidc.auth-server-url", issuer.url());
    p.put("quarkus.oidc-client.auth-server-url", issuer.url());
    p.put("quarkus.oidc-client.client-id", service.clientId());
    p.put("attune.storage.root", settings.data().resolve("storage").toString());
    p.put("attune.base-model", settings.model().toString());
    p.put("attune.threads", Integer.toString(threads(service)));
    p.put("ai.djl.offline", "true");
    if (service == ServiceKind.TRAINING) {
      p.put("attune.ingestion.url", endpoints.url(new ServiceReplica(ServiceKind.INGESTION, 1)));
    }
    if (service == ServiceKind.SERVING) {
      p.put("attune.serving.replica", replica.id());
    }
    if (service.usesDatabase()) {
      p.put("quarkus.datasource.jdbc.url", jdbcUrl);
      p.put("quarkus.datasource.username", Database.USER);
      p.put("quarkus.datasource.password", Database.USER);
    }
    return p;
  }
}
