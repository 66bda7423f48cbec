package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.Artifact;
import io.attune.feedback.v1.CutSnapshotRequest;
import io.attune.feedback.v1.CutSnapshotResponse;
import io.attune.feedback.v1.FeedbackServiceGrpc;
import io.attune.feedback.v1.Snapshot;
import io.attune.platform.storage.FolderStore;
import io.attune.testkit.EmbeddedBroker;
import io.attune.testkit.EmbeddedDatabase;
import io.attune.testkit.TestIssuer;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.stub.StreamObserver;
import io.restassured.RestAssured;
import io.restassured.http.ContentType;
import io.restassured.path.json.JsonPath;
import java.io.IOException;
import java.io.UncheckedIOException;
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
  private Server ingestion;
  private int port;

  @BeforeEach
  void startIngestion() throws IOException {
    ingestion = ServerBuilder.forPort(0).addService(new CutOnly(folder)).build().start();
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
  }

  @AfterEach
  void end() {
    started.forEach(Process::destroyForcibly);
    ingestion.shutdownNow();
    issuer.close();
  }

  @Test
  void aJobSurvivesTheServiceThatRanIt() throws Exception {
    Process first = startService();
    String id = create(600);
    await("some steps").atMost(LONG).until(() -> job(id).getInt("progress.step") >= 30);
    ProcessHandle worker = first.children().findFirst().orElseThrow();

    first.destroyForcibly().waitFor();

    // Nothing tells the worker but the end of its standard input.
    worker.onExit().get(60, TimeUnit.SECONDS);
    startService();
    await("the job's end")
        .atMost(LONG)
        .until(() -> List.of("STATE_RELEASED", "STATE_REFUSED").contains(state(id)));
    assertThat(job(id).getInt("progress.step")).isEqualTo(600);
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
            "-Dattune.ingestion.url=http://127.0.0.1:" + ingestion.getPort(),
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

  /** Progress is text in protobuf's JSON, as every 64-bit number; JsonPath reads it as a number. */
  private JsonPath job(String id) {
    return RestAssured.given().auth().oauth2(token).get("/v1/training/jobs/" + id).jsonPath();
  }

  private String state(String id) {
    return job(id).getString("state");
  }

  /** Plays ingestion for one snapshot. */
  private static final class CutOnly extends FeedbackServiceGrpc.FeedbackServiceImplBase {
    private final Path root;

    private CutOnly(Path root) {
      this.root = root;
    }

    @Override
    public void cutSnapshot(
        CutSnapshotRequest request, StreamObserver<CutSnapshotResponse> observer) {
      try {
        FolderStore store = new FolderStore(root);
        Path staged = store.stage("snapshots");
        Files.writeString(staged.resolve("ratings.jsonl"), TinyModel.ratings(80));
        Artifact file = store.publishFile("snapshots", staged, "ratings.jsonl");
        Snapshot snapshot = Snapshot.newBuilder().setId(file.getSha256()).setFile(file).build();
        observer.onNext(CutSnapshotResponse.newBuilder().setSnapshot(snapshot).build());
        observer.onCompleted();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
