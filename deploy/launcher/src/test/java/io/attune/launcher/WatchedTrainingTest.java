package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code attune train} in a process of its own, as a script or a log file sees it. */
class WatchedTrainingTest {
  private static final Path LLAMA =
      Path.of("../../services/lib/engine/src/test/resources/golden/models/llama");

  /** Holds all that any call of a run looks for. */
  private static final byte[] ANSWER =
      "{\"experiment\": {\"experiment_id\": \"0\"}, \"run\": {\"info\": {\"run_id\": \"r1\"}}}"
          .getBytes(StandardCharsets.UTF_8);

  @TempDir Path folder;

  @Test
  void printsItsStepsAndNothingElseAndReportsThem() throws Exception {
    List<String> calls = Collections.synchronizedList(new ArrayList<>());
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/api/2.0/mlflow/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          calls.add(exchange.getRequestURI().getPath().substring(16) + " " + body);
          exchange.sendResponseHeaders(200, ANSWER.length);
          exchange.getResponseBody().write(ANSWER);
          exchange.close();
        });
    server.start();
    try {
      train("http://127.0.0.1:" + server.getAddress().getPort());
    } finally {
      server.stop(0);
    }
    assertThat(Files.readString(folder.resolve("err"))).isEmpty();
    assertThat(Files.readAllLines(folder.resolve("out")))
        .filteredOn(line -> line.startsWith("step="))
        .hasSize(3)
        .allMatch(line -> line.contains(" total=3 ") && line.contains(" loss="));
    assertThat(Files.readString(folder.resolve("out")))
        .doesNotContain("\r")
        .contains("== wrote " + folder.resolve("run"));
    assertThat(folder.resolve("run/runs")).isNotEmptyDirectory();
    assertThat(calls)
        .anyMatch(call -> call.startsWith("runs/create ") && call.contains("\"night\""))
        .anyMatch(call -> call.startsWith("runs/log-batch ") && call.contains("\"grad_norm\""))
        .anyMatch(call -> call.startsWith("runs/update ") && call.contains("\"FINISHED\""));
  }

  private void train(String trackingUri) throws IOException, InterruptedException {
    Path rows = folder.resolve("rows.jsonl");
    Files.writeString(rows, "{\"prompt\": \"Where? \", \"completion\": \"Here.\"}\n".repeat(8));
    ProcessBuilder command =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dai.djl.offline=true",
            "-cp",
            System.getProperty("java.class.path"),
            Attune.class.getName(),
            "train",
            "--model",
            LLAMA.toString(),
            "--data",
            rows.toString(),
            "--out",
            folder.resolve("run").toString(),
            "--objective",
            "sft",
            "--method",
            "lora",
            "-p",
            "max_steps=3",
            "-p",
            "report_to=tensorboard,mlflow",
            "-p",
            "run_name=night");
    command.environment().put("MLFLOW_TRACKING_URI", trackingUri);
    command.redirectOutput(folder.resolve("out").toFile());
    command.redirectError(folder.resolve("err").toFile());
    assertThat(command.start().waitFor()).isZero();
  }
}
