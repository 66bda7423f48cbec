package io.attune.launcher.local;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A real Keycloak as the issuer, with its database in the data folder. */
final class Keycloak implements Part, Issuer {
  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();

  private final KeycloakDistribution distribution;
  private final KeycloakSecrets secrets;
  private final Path folder;
  private final Path logs;
  private final int port;

  private Keycloak(
      KeycloakDistribution distribution,
      KeycloakSecrets secrets,
      Path folder,
      Path logs,
      int port) {
    this.distribution = distribution;
    this.secrets = secrets;
    this.folder = folder;
    this.logs = logs;
    this.port = port;
  }

  /**
   * Makes everything ready for its start.
   *
   * @param home the checkout, which has the realm
   */
  static Keycloak prepare(Path home, DataFolder data, int port, Progress progress) {
    KeycloakDistribution distribution = KeycloakDistribution.find();
    if (!distribution.prepared()) {
      progress.stage("preparing Keycloak, once on this machine");
      distribution.prepare(data.folder("logs"));
    }
    Path folder = data.folder("keycloak");
    try {
      Files.createDirectories(folder.resolve("conf"));
      Files.createDirectories(folder.resolve("providers"));
      // Programs are shared; data and configuration are this folder's own.
      Path programs = folder.resolve("lib");
      Files.deleteIfExists(programs);
      Files.createSymbolicLink(programs, distribution.folder().resolve("lib"));
    } catch (IOException e) {
      throw new LauncherException("Keycloak's folder " + folder + " cannot be made", e);
    }
    KeycloakRealm.write(home, folder.resolve("data/import/attune-realm.json"));
    return new Keycloak(
        distribution, KeycloakSecrets.loadOrCreate(folder), folder, data.folder("logs"), port);
  }

  @Override
  public String id() {
    return "keycloak";
  }

  @Override
  public String url() {
    return base() + "/realms/attune";
  }

  @Override
  public Tokens tokens() {
    return KeycloakTokens.of(url(), secrets);
  }

  @Override
  public String secret(ServiceKind service) {
    return secrets.service(service);
  }

  @Override
  public Run start() {
    List<String> line = new ArrayList<>(distribution.command(folder));
    line.add("start");
    line.add("--optimized");
    line.add("--import-realm");
    line.add("--http-enabled=true");
    line.add("--http-host=127.0.0.1");
    line.add("--http-port=" + port);
    line.add("--hostname=" + base());
    line.add("--cache=local");
    Map<String, String> environment = new TreeMap<>(KeycloakRealm.environment(secrets));
    environment.put("KC_BOOTSTRAP_ADMIN_USERNAME", "admin");
    environment.put("KC_BOOTSTRAP_ADMIN_PASSWORD", secrets.admin());
    ChildProcess process = ChildProcess.start(id(), line, environment, logs);
    return new KeycloakRun(process, URI.create(url()));
  }

  private String base() {
    return "http://127.0.0.1:" + port;
  }

  /** One run; ready when the realm answers, since HTTP does before the import has ended. */
  private record KeycloakRun(ChildProcess process, URI realm) implements Run {
    @Override
    public boolean ready() throws InterruptedException {
      try {
        HttpRequest request =
            HttpRequest.newBuilder(realm).timeout(Duration.ofSeconds(5)).GET().build();
        int status = HTTP.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        return status == 200 && process.alive();
      } catch (IOException e) {
        return false; // nobody listens yet
      }
    }
  }
}
