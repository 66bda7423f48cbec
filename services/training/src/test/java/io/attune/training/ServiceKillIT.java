package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.testkit.EmbeddedBroker;
import io.attune.testkit.EmbeddedDatabase;
import io.attune.testkit.TestIssuer;
import io.restassured.RestAssured;
import io.restassured.http.ContentType;
import io.restassured.path.json.JsonPath;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged service in a process of its own, killed with -9 in the middle of a job. */
class ServiceKillIT {
  private static final Duration LONG = Duration.ofMinutes(5);
  private static final Path PACKAGED = Path.of("target", "quarkus-app", "quarkus-run.jar");

  @TempDir Path folder;

  private final List<Process> started = new ArrayList<>();
  private final TestIssuer issuer = TestIssuer.start();
  private final String database = EmbeddedDatabase.create();
  private final String token = issuer.tokens().with("ann", "trainer", "viewer");
  private final Ingestion ingestion = new Ingestion();
  private int port;

  @BeforeEach
  void startIngestion() throws IOException {
    ingestion.start();
    ingestion.holds(folder, TinyModel.ratings(80));
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
  }

  @AfterEach
  void end() throws InterruptedException {
    for (Process service : started) {
      service.destroyForcibly().waitFor();
    }
    ingestion.stop();
    issuer.close();
  }

  @Test
  void aJobSurvivesTheServiceThatRanIt() throws Exception {
    Process first = startService();
    String id = create(600);
    await("some steps").atMost(LONG).until(() -> step(id) >= 30);
    ProcessHandle worker = first.children().findFirst().orElseThrow();
    Path abandoned = folderOfCancelledJob();

    first.destroyForcibly().waitFor();

    // Nothing tells the worker but the end of its standard input.
    worker.onExit().get(60, TimeUnit.SECONDS);
    startService();
    List<Long> steps = new ArrayList<>();
    await("the job's end")
        .atMost(LONG)
        .until(
            () -> {
              steps.add(step(id));
              return List.of("STATE_RELEASED", "STATE_REFUSED").contains(state(id));
            });
    assertThat(step(id)).isEqualTo(600);
    // The second worker began after a checkpoint, so none of its steps is one of the first twenty.
    assertThat(steps).allMatch(step -> step > 20);
    assertThat(abandoned).doesNotExist();
  }

  /** As a service leaves it that is killed between a job's end and its tidying up. */
  private Path folderOfCancelledJob() throws IOException {
    String id = create(1);
    RestAssured.given()
        .auth()
        .oauth2(token)
        .contentType(ContentType.JSON)
        .post("/v1/training/jobs/" + id + "/cancel")
        .then()
        .statusCode(200);
    Path left = folder.resolve("training-jobs").resolve(id).resolve("run");
    Files.createDirectories(left);
    return left.getParent();
  }

  private Process startService() throws IOException {
    assertThat(PACKAGED)
        .as("the packaged service, which the phase before this one builds")
        .exists();
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dquarkus.http.port=" + port,
            "-Dkafka.bootstrap.servers=" + EmbeddedBroker.shared().bootstrapServers(),
            "-Dquarkus.datasource.jdbc.url=" + database,
            "-Dquarkus.datasource.username=" + EmbeddedDatabase.USER,
            "-Dquarkus.datasource.password=" + EmbeddedDatabase.USER,
            "-Dquarkus.oidc.auth-server-url=" + issuer.url(),
            "-Dquarkus.oidc-client.credentials.secret=test",
            "-Dattune.storage.root=" + folder,
            "-Dattune.base-model=" + TinyModel.FOLDER.toAbsolutePath(),
            "-Dattune.threads=1",
            "-Dattune.ingestion.url=" + ingestion.url(),
            "-Dattune.training.worker.heap=256m",
            "-jar",
            PACKAGED.toAbsolutePath().toString());
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(
                ProcessBuilder.Redirect.appendTo(Path.of("target", "service.log").toFile()))
            .start();
    started.add(process);
    RestAssured.baseURI = "http://127.0.0.1:" + port;
    RestAssured.port = port;
    await("the service").atMost(LONG).ignoreExceptions().until(() -> list() == 200);
    return process;
  }

  private int list() {
    return RestAssured.given().auth().oauth2(token).get("/v1/training/jobs").statusCode();
  }

  private String create(int steps) {
    String body =
        "{\"request_id\":\"%s\",\"spec\":{\"line\":\"judge\",\"reward\":{},%s}}"
            .formatted(UUID.randomUUID(), TinyModel.arguments(steps));
    return RestAssured.given()
        .auth()
        .oauth2(token)
        .contentType(ContentType.JSON)
        .body(body)
        .post("/v1/training/jobs")
        .then()
        .statusCode(200)
        .extract()
        .path("id");
  }

  private JsonPath job(String id) {
    return RestAssured.given().auth().oauth2(token).get("/v1/training/jobs/" + id).jsonPath();
  }

  /** Text in protobuf's JSON, as every 64-bit number; left out before the first step. */
  private long step(String id) {
    String step = job(id).getString("progress.step");
    return step == null ? 0 : Long.parseLong(step);
  }

  private String state(String id) {
    return job(id).getString("state");
  }
}
