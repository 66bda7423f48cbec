package io.attune.engine.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.engine.report.MlflowReporter.Pace;
import io.attune.engine.report.MlflowServer.Run;
import io.attune.engine.report.MlflowServer.Trouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MlflowReporterTest {
  private static final Duration SOON = Duration.ofMillis(5);

  /** Patient enough for a busy machine, and quick to try again. */
  private static final Pace PACE =
      new Pace(SOON, SOON, SOON, Duration.ofSeconds(10), Duration.ofSeconds(60));

  @TempDir Path folder;
  private final List<String> notices = new ArrayList<>();
  private final Map<String, String> parameters = new TreeMap<>(Map.of("learning_rate", "1e-4"));
  private MlflowServer server;

  @BeforeEach
  void start() throws IOException {
    server = new MlflowServer(0);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private Map<String, String> environment(String... more) {
    Map<String, String> environment = new TreeMap<>(Map.of("MLFLOW_TRACKING_URI", server.uri()));
    for (int i = 0; i < more.length; i += 2) {
      environment.put(more[i], more[i + 1]);
    }
    return environment;
  }

  private MlflowReporter reporter(Map<String, String> environment, Pace pace) {
    return new MlflowReporter(
        MlflowSettings.of(environment, "my run"), folder, parameters, notices::add, pace);
  }

  private MlflowReporter reporter() {
    return reporter(environment(), PACE);
  }

  /** Does steps as a run does: first the line of metrics.jsonl, then the report. */
  private void steps(MlflowReporter reporter, int from, int to) throws IOException {
    Path file = folder.resolve("metrics.jsonl");
    List<String> kept = Files.exists(file) ? Files.readAllLines(file) : List.of();
    Files.write(file, kept.subList(0, Math.min(kept.size(), from - 1)));
    for (int step = from; step <= to; step++) {
      Files.writeString(
          file,
          "{\"step\":" + step + ",\"tokens\":9,\"loss\":" + loss(step) + "}\n",
          StandardOpenOption.APPEND);
      reporter.step(step, Map.of("loss", loss(step)));
    }
  }

  private static double loss(int step) {
    return 10.0 / step;
  }

  private void assertHasSteps(Run run, int last) {
    assertThat(run.metrics.get("loss"))
        .isEqualTo(
            IntStream.rangeClosed(1, last).mapToObj(step -> Map.entry(step, loss(step))).toList());
  }

  private Run onlyRun() {
    assertThat(server.runs()).hasSize(1);
    return server.runs().values().iterator().next();
  }

  @Test
  void aRunIsReportedFromItsSettingsToItsEnd() throws IOException {
    parameters.put("prompt_template", "x".repeat(7000));
    IntStream.range(0, 250).forEach(i -> parameters.put("p" + i, "v"));
    MlflowReporter reporter =
        reporter(
            environment("MLFLOW_EXPERIMENT_NAME", "A & B", "MLFLOW_TRACKING_TOKEN", "secret"),
            PACE);
    steps(reporter, 1, 30);
    reporter.step(31, Map.of("loss", Double.NaN, "rewards/chosen", Double.POSITIVE_INFINITY));
    reporter.end(Outcome.FINISHED);

    assertThat(notices).isEmpty();
    Run run = onlyRun();
    assertThat(run.name).isEqualTo("my run");
    assertThat(run.experiment).isEqualTo("1");
    assertThat(run.status).isEqualTo("FINISHED");
    assertThat(run.params).hasSize(252).containsEntry("learning_rate", "1e-4");
    assertThat(run.params.get("prompt_template")).isEqualTo("x".repeat(6000));
    assertThat(run.metrics.get("loss")).hasSize(31).contains(Map.entry(31, Double.NaN));
    assertThat(run.metrics.get("rewards/chosen"))
        .containsExactly(Map.entry(31, Double.POSITIVE_INFINITY));
    assertThat(server.calls("experiments/create"))
        .singleElement()
        .satisfies(call -> assertThat(call.body().get("name").asText()).isEqualTo("A & B"));
    assertThat(server.calls()).allMatch(call -> call.authorization().equals("Bearer secret"));
    assertThat(Files.readString(folder.resolve(MlflowSession.FILE))).doesNotContain("secret");
  }

  @Test
  void manyQuickStepsShareACall() throws IOException {
    MlflowReporter reporter =
        reporter(
            environment(), new Pace(Duration.ofMinutes(5), SOON, SOON, PACE.call(), PACE.end()));
    steps(reporter, 1, 2500);
    reporter.end(Outcome.FINISHED);
    assertHasSteps(onlyRun(), 2500);
    assertThat(server.calls("runs/log-batch")).hasSizeLessThan(6);
  }

  /** Else a resumed run would take a step for known of which the server has a part. */
  @Test
  void noCallTellsAPartOfAStep() throws IOException {
    Map<String, Double> seven = new TreeMap<>();
    IntStream.range(0, 7).forEach(i -> seven.put("m" + i, (double) i));
    MlflowReporter reporter =
        reporter(
            environment(), new Pace(Duration.ofMinutes(5), SOON, SOON, PACE.call(), PACE.end()));
    for (int step = 1; step <= 700; step++) {
      reporter.step(step, seven);
    }
    reporter.end(Outcome.FINISHED);
    List<Integer> sizes = new ArrayList<>();
    for (MlflowServer.Call call : server.calls("runs/log-batch")) {
      sizes.add(call.body().path("metrics").size());
    }
    assertThat(sizes).allMatch(size -> size % 7 == 0).contains(994);
    assertThat(sizes.stream().mapToInt(Integer::intValue).sum()).isEqualTo(4900);
  }

  @ParameterizedTest
  @ValueSource(strings = {"FAILED", "KILLED"})
  void howARunEndsIsSaid(String outcome) throws IOException {
    MlflowReporter reporter = reporter();
    steps(reporter, 1, 2);
    reporter.end(Outcome.valueOf(outcome));
    assertThat(onlyRun().status).isEqualTo(outcome);
  }

  @Test
  void troubleIsSaidOnceAndNothingIsLost() throws IOException {
    server.trouble(
        new Trouble(500, "<html>\u001b[31mInternal Server Error</html>"),
        new Trouble(503, ""),
        new Trouble(429, "{}"),
        new Trouble(200, "{\"experiment\": {\"experim"),
        new Trouble(200, "[]"),
        new Trouble(200, "{}"));
    MlflowReporter reporter = reporter();
    steps(reporter, 1, 50);
    while (server.runs().isEmpty()) {
      Thread.onSpinWait();
    }
    server.trouble(
        new Trouble(502, "{\"error_code\": \"INTERNAL_ERROR\", \"message\": \"later\"}"));
    steps(reporter, 51, 100);
    reporter.end(Outcome.FINISHED);

    assertHasSteps(onlyRun(), 100);
    assertThat(onlyRun().status).isEqualTo("FINISHED");
    assertThat(notices)
        .singleElement()
        .asString()
        .startsWith("cannot report to MLflow at " + server.uri() + " (")
        .contains("experiments/get-by-name was answered with 500 <html> [31mInternal Server")
        .contains("training goes on")
        .doesNotContain("\u001b");
  }

  @Test
  void aServerThatComesLateGetsEverything() throws IOException {
    int port = server.port();
    server.close();
    MlflowReporter reporter = reporter();
    steps(reporter, 1, 20);
    server = new MlflowServer(port);
    steps(reporter, 21, 40);
    reporter.end(Outcome.FINISHED);
    assertHasSteps(onlyRun(), 40);
    assertThat(notices).hasSizeLessThan(2).allMatch(notice -> notice.contains("no connection"));
  }

  @Test
  void whatIsLostIsCountedAndSentWhenTheCommandIsGivenAgain() throws IOException {
    int port = server.port();
    server.close();
    MlflowReporter reporter = reporter();
    steps(reporter, 1, 20);
    reporter.end(Outcome.FINISHED);
    assertThat(notices).hasSize(2);
    assertThat(notices.get(0)).contains("no connection").contains("training goes on");
    assertThat(notices.get(1))
        .isEqualTo(
            "MLflow did not get 20 values. All are in metrics.jsonl; the same command sends what"
                + " is missing");

    server = new MlflowServer(port);
    reporter().end(Outcome.FINISHED); // no step is left to do
    assertHasSteps(onlyRun(), 20);
    assertThat(onlyRun().status).isEqualTo("FINISHED");
    assertThat(onlyRun().params).containsEntry("learning_rate", "1e-4");
    assertThat(notices).hasSize(2);
  }

  @Test
  void aServerThatDoesNotAnswerHoldsNothingUp() throws IOException {
    server.fallSilent();
    Duration call = Duration.ofMillis(100);
    MlflowReporter reporter = reporter(environment(), new Pace(SOON, SOON, SOON, call, PACE.end()));
    steps(reporter, 1, 1000);
    reporter.end(Outcome.FAILED);
    assertThat(notices.get(0)).contains("took longer than");
    assertThat(notices.get(notices.size() - 1)).contains("did not get 1000 values");

    notices.clear();
    Pace brief = new Pace(SOON, SOON, SOON, Duration.ofSeconds(60), Duration.ofMillis(100));
    reporter = reporter(environment(), brief);
    steps(reporter, 1, 3);
    reporter.end(Outcome.FINISHED); // the call would take a minute
    assertThat(notices).singleElement().asString().contains("did not get 3 values");
  }

  @Test
  void aResumedRunGoesOnInItsRunAndTellsNoStepTwice() throws IOException {
    MlflowReporter first = reporter();
    steps(first, 1, 7);
    first.end(Outcome.KILLED);
    parameters.put("report_to", "mlflow,tensorboard"); // could not be changed there

    MlflowReporter second = reporter();
    steps(second, 5, 12); // from the checkpoint after step 4
    second.end(Outcome.FINISHED);

    assertHasSteps(onlyRun(), 12);
    assertThat(onlyRun().status).isEqualTo("FINISHED");
    assertThat(onlyRun().params).doesNotContainKey("report_to");
    assertThat(notices).isEmpty();
  }

  @Test
  void whatAKilledProcessDidNotSendIsSentByTheNext() throws IOException {
    MlflowReporter first = reporter();
    steps(first, 1, 3);
    first.end(Outcome.KILLED);
    server.trouble(new Trouble(500, ""), new Trouble(500, ""), new Trouble(500, ""));
    MlflowReporter second = reporter();
    steps(second, 4, 9);
    second.end(Outcome.KILLED); // gives up

    MlflowReporter third = reporter();
    steps(third, 7, 12);
    third.end(Outcome.FINISHED);
    assertHasSteps(onlyRun(), 12);
  }

  @Test
  void aRunThatTheServerNoLongerHasIsMadeAgain() throws IOException {
    MlflowReporter first = reporter();
    steps(first, 1, 4);
    first.end(Outcome.KILLED);
    server.deleteRuns();
    MlflowReporter second = reporter();
    steps(second, 5, 8);
    second.end(Outcome.FINISHED);
    assertHasSteps(onlyRun(), 8);
    assertThat(onlyRun().params).containsEntry("learning_rate", "1e-4");
  }

  @Test
  void aRunThatStartsAnewIsANewRun() throws IOException {
    for (int i = 0; i < 2; i++) {
      MlflowReporter reporter = reporter();
      steps(reporter, 1, 4);
      reporter.end(Outcome.FINISHED);
    }
    assertThat(server.runs()).hasSize(2);
    server.runs().values().forEach(run -> assertHasSteps(run, 4));
  }

  @Test
  void aRunMayBeNamedByItsId() throws IOException {
    MlflowReporter own = reporter();
    own.step(1, Map.of("other", 1.0));
    own.end(Outcome.FINISHED);
    String id = server.runs().keySet().iterator().next();

    MlflowReporter named = reporter(environment("MLFLOW_RUN_ID", id), PACE);
    steps(named, 1, 3);
    named.end(Outcome.FAILED);
    assertHasSteps(onlyRun(), 3);
    assertThat(onlyRun().status).isEqualTo("FAILED");
    assertThat(notices).isEmpty();

    MlflowReporter unknown = reporter(environment("MLFLOW_RUN_ID", "nobody"), PACE);
    steps(unknown, 1, 3);
    unknown.end(Outcome.FINISHED);
    assertThat(notices).hasSize(2);
    assertThat(notices.get(0)).contains("refuses").contains("404").contains("Run not found");
    assertThat(notices.get(1)).contains("did not get 3 values");
  }

  @Test
  void whatIsRefusedIsSaidOnceAndTheRestIsSent() throws IOException {
    MlflowReporter reporter = reporter();
    steps(reporter, 1, 1);
    while (onlyRunOrNull() == null || onlyRunOrNull().metrics.isEmpty()) {
      Thread.onSpinWait();
    }
    server.trouble(MlflowServer.error(400, "INVALID_PARAMETER_VALUE", "no such metric"));
    reporter.step(2, Map.of("loss", 5.0));
    while (server.calls("runs/log-batch").size() < 3) {
      Thread.onSpinWait();
    }
    steps(reporter, 3, 5);
    reporter.end(Outcome.FINISHED);
    assertThat(onlyRun().metrics.get("loss").stream().map(Map.Entry::getKey))
        .containsExactly(1, 3, 4, 5);
    assertThat(notices).hasSize(2);
    assertThat(notices.get(0)).contains("400").contains("no such metric");
    assertThat(notices.get(1)).contains("did not get 1 values");
  }

  private Run onlyRunOrNull() {
    return server.runs().values().stream().findFirst().orElse(null);
  }

  @Test
  void aServerThatAsksForATokenIsNotAskedAgain() throws IOException {
    server.trouble(new Trouble(401, "You are not authenticated."));
    MlflowReporter reporter = reporter();
    steps(reporter, 1, 1);
    while (server.calls().isEmpty()) {
      Thread.onSpinWait();
    }
    steps(reporter, 2, 9);
    reporter.end(Outcome.FINISHED);
    assertThat(server.calls()).hasSize(1);
    assertThat(notices.get(0)).contains("401").contains("not authenticated");
    assertThat(notices.get(notices.size() - 1)).contains("did not get 9 values");
  }

  @Test
  void aDamagedFileOfTheRunsIdIsSaid() throws IOException {
    Files.writeString(folder.resolve(MlflowSession.FILE), "{");
    MlflowReporter reporter = reporter();
    steps(reporter, 2, 3);
    reporter.end(Outcome.FINISHED);
    assertThat(notices.get(0))
        .startsWith("nothing more is sent to MLflow: ")
        .contains("mlflow.json is not valid JSON");
    assertThat(notices.get(1)).contains("did not get 2 values");
  }
}
