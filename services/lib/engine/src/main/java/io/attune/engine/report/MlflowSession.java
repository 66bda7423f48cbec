package io.attune.engine.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.report.MlflowClient.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The MLflow run that belongs to a folder. Its id is in {@code mlflow.json}: a run that is resumed
 * goes on in the same MLflow run, gets what the server missed of the steps before from {@code
 * metrics.jsonl}, and is not told a step twice.
 *
 * <p>Every method may be called again after it failed. Single-threaded.
 */
final class MlflowSession {
  static final String FILE = "mlflow.json";

  /** A first step for a run that had none left to do. */
  static final int NO_STEP = Integer.MAX_VALUE;

  /** What of a line of metrics.jsonl is no metric. */
  private static final Set<String> NO_METRICS = Set.of("step", "tokens");

  private final MlflowSettings settings;
  private final MlflowClient client;
  private final Path folder;
  private final Map<String, String> parameters;
  private final int firstStep;
  private final Consumer<String> notices;

  private @Nullable String run;
  private boolean created;
  private boolean connected;
  private int lastStep;

  /**
   * @param folder of the training run
   * @param firstStep from where it goes on; 1 makes a new MLflow run
   */
  MlflowSession(
      MlflowSettings settings,
      MlflowClient client,
      Path folder,
      Map<String, String> parameters,
      int firstStep,
      Consumer<String> notices) {
    this.settings = settings;
    this.client = client;
    this.folder = folder;
    this.parameters = parameters;
    this.firstStep = firstStep;
    this.notices = notices;
  }

  /**
   * The id of the run that was reported from the folder to the same place; null if there is none.
   */
  private @Nullable String stored() {
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      return null;
    }
    ObjectNode json = JsonFiles.readObject(file, 1 << 16);
    boolean same =
        json.path("tracking_uri").asText().equals(settings.trackingUri())
            && json.path("experiment_name").asText().equals(settings.experimentName())
            && json.path("run_id").isTextual();
    return same ? json.path("run_id").textValue() : null;
  }

  /** Whether the server has shown that it takes this run. */
  boolean isConnected() {
    return connected;
  }

  void deliver(List<Metric> metrics) throws MlflowException, InterruptedException {
    String id = connect();
    List<Metric> news = metrics.stream().filter(metric -> metric.step() > lastStep).toList();
    if (!news.isEmpty()) {
      client.logMetrics(id, news);
    }
  }

  void finish(Outcome outcome) throws MlflowException, InterruptedException {
    client.update(connect(), outcome.name());
  }

  private String connect() throws MlflowException, InterruptedException {
    if (connected) {
      return run;
    }
    if (run == null) {
      run = settings.runId() != null ? settings.runId() : firstStep > 1 ? known() : null;
    }
    if (run == null) {
      run = client.createRun(client.experiment(), System.currentTimeMillis());
      created = true;
    } else if (!created && firstStep != NO_STEP) {
      client.update(run, "RUNNING");
    }
    ObjectNode json = JsonFiles.newObject();
    json.put("tracking_uri", settings.trackingUri());
    json.put("experiment_name", settings.experimentName());
    json.put("run_id", run);
    AtomicFiles.write(folder.resolve(FILE), JsonFiles.pretty(json));
    if (firstStep == 1 || created) {
      logParameters(run);
    }
    if (firstStep > 1) {
      lastStep = Math.max(0, client.lastStep(run));
      catchUp(run);
    }
    connected = true;
    return run;
  }

  /** The run that was reported before; null if there is none, or the server has none of its id. */
  private @Nullable String known() throws MlflowException, InterruptedException {
    String id = stored();
    return id == null || client.lastStep(id) < 0 ? null : id;
  }

  private void logParameters(String id) throws MlflowException, InterruptedException {
    try {
      client.logParams(id, parameters);
    } catch (MlflowException e) {
      if (e.isPassing()) {
        throw e;
      }
      notices.accept("MLflow did not take the run's settings: " + e.getMessage());
    }
  }

  /** Sends what was not sent, or got lost, before this start. */
  private void catchUp(String id) throws MlflowException, InterruptedException {
    List<Metric> missed = new ArrayList<>();
    for (String line : lines()) {
      if (line.endsWith("}")) { // the last one may be half-written
        JsonNode json = JsonFiles.parse(line, "metrics.jsonl");
        int step = json.path("step").asInt();
        if (step > lastStep && step < firstStep) {
          json.properties().stream()
              .filter(entry -> entry.getValue().isNumber() && !NO_METRICS.contains(entry.getKey()))
              .map(entry -> metric(entry.getKey(), entry.getValue().doubleValue(), step))
              .forEach(missed::add);
        }
      }
    }
    for (List<Metric> rest = missed; !rest.isEmpty(); ) {
      List<Metric> batch = MlflowClient.batch(rest);
      client.logMetrics(id, batch);
      rest = rest.subList(batch.size(), rest.size());
    }
    lastStep = Math.max(lastStep, firstStep - 1);
  }

  private static Metric metric(String key, double value, int step) {
    return new Metric(key, value, System.currentTimeMillis(), step);
  }

  private List<String> lines() {
    try {
      return Files.readAllLines(folder.resolve("metrics.jsonl"));
    } catch (IOException e) {
      throw new EngineException(
          EngineException.Reason.IO,
          "cannot read " + folder.resolve("metrics.jsonl") + ": " + e,
          e);
    }
  }
}
