package io.attune.launcher.local;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;

/** One run of a service: its process, and how to know that it is ready. */
final class ServiceProcess implements Part.Run {
  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();

  private final ChildProcess process;
  private final String instance;
  private final URI health;

  private ServiceProcess(ChildProcess process, String instance, URI health) {
    this.process = process;
    this.instance = instance;
    this.health = health;
  }

  static ServiceProcess start(
      ServiceReplica replica, ServiceCommand command, Endpoints endpoints, Path logs) {
    String instance = UUID.randomUUID().toString();
    ChildProcess process =
        ChildProcess.start(
            replica.id(),
            command.line(replica, instance),
            command.environment(replica.kind()),
            logs);
    URI health = URI.create(endpoints.url(replica) + "/q/health/ready");
    return new ServiceProcess(process, instance, health);
  }

  @Override
  public ChildProcess process() {
    return process;
  }

  @Override
  public boolean ready() throws InterruptedException {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(health).timeout(Duration.ofSeconds(5)).GET().build();
      HttpResponse<Void> response = HTTP.send(request, HttpResponse.BodyHandlers.discarding());
      return response.statusCode() == 200
          && response
              .headers()
              .firstValue(ServiceCommand.INSTANCE_HEADER)
              .filter(instance::equals)
              .isPresent();
    } catch (IOException e) {
      return false; // nobody listens yet
    }
  }
}
