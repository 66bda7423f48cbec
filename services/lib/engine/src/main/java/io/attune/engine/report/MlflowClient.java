package io.attune.engine.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.checkpoint.JsonFiles;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Calls of MLflow's REST API 2.0, one at a time. */
final class MlflowClient {
  /** MLflow's limits for one call. */
  private static final int METRICS = 1000;

  private static final int PARAMS = 100;

  /** Characters of a parameter's value. */
  private static final int PARAM_VALUE = 6000;

  private static final String MISSING = "RESOURCE_DOES_NOT_EXIST";

  private final MlflowSettings settings;
  private final Duration timeout;
  private final HttpClient http;

  /** A value of a step. */
  record Metric(String key, double value, long timestampMillis, int step) {}

  /**
   * @param timeout of a whole call
   */
  MlflowClient(MlflowSettings settings, Duration timeout) {
    this.settings = settings;
    this.timeout = timeout;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
  }

  /** The id of the experiment with the settings' name, which is made if it is not there. */
  String experiment() throws MlflowException, InterruptedException {
    String name = settings.experimentName();
    try {
      String query = "experiment_name=" + URLEncoder.encode(name, StandardCharsets.UTF_8);
      JsonNode found = get("experiments/get-by-name", query).path("experiment");
      if (found.path("lifecycle_stage").asText().equals("deleted")) {
        throw MlflowException.refused("experiment '" + name + "' is deleted there", "");
      }
      return text(found, "experiment_id");
    } catch (MlflowException e) {
      if (!e.isCode(MISSING)) {
        throw e;
      }
    }
    return text(
        post("experiments/create", JsonFiles.newObject().put("name", name)), "experiment_id");
  }

  /** A new run's id. */
  String createRun(String experiment, long startMillis)
      throws MlflowException, InterruptedException {
    ObjectNode body = JsonFiles.newObject();
    body.put("experiment_id", experiment).put("start_time", startMillis);
    if (settings.runName() != null) {
      body.put("run_name", settings.runName());
    }
    body.putArray("tags").addObject().put("key", "mlflow.source.name").put("value", "attune train");
    return text(post("runs/create", body).path("run").path("info"), "run_id");
  }

  /** The last step of a run that the server knows; -1 where it does not know the run. */
  int lastStep(String run) throws MlflowException, InterruptedException {
    JsonNode found;
    try {
      found = get("runs/get", "run_id=" + URLEncoder.encode(run, StandardCharsets.UTF_8));
    } catch (MlflowException e) {
      if (e.isCode(MISSING)) {
        return -1;
      }
      throw e;
    }
    if (found.path("run").path("info").path("lifecycle_stage").asText().equals("deleted")) {
      return -1;
    }
    int last = 0;
    for (JsonNode metric : found.path("run").path("data").path("metrics")) {
      last = Math.max(last, metric.path("step").asInt());
    }
    return last;
  }

  /**
   * The first of some values, as many as a call takes. Steps are whole, so that a run that is
   * resumed can tell from a step's number whether its values are there.
   *
   * @param metrics by ascending steps
   */
  static List<Metric> batch(Collection<Metric> metrics) {
    List<Metric> first = metrics.stream().limit(METRICS + 1).toList();
    if (first.size() <= METRICS) {
      return first;
    }
    int end = METRICS;
    while (end > 0 && first.get(end - 1).step() == first.get(METRICS).step()) {
      end--;
    }
    return first.subList(0, end > 0 ? end : METRICS);
  }

  /** At most {@link #METRICS} values. */
  void logMetrics(String run, List<Metric> metrics) throws MlflowException, InterruptedException {
    ObjectNode body = JsonFiles.newObject().put("run_id", run);
    ArrayNode list = body.putArray("metrics");
    for (Metric metric : metrics) {
      ObjectNode json = list.addObject();
      json.put("key", metric.key());
      json.put(
          "value", metric.value()); // NaN and infinities as strings, as protobuf's JSON has them
      json.put("timestamp", metric.timestampMillis());
      json.put("step", metric.step());
    }
    post("runs/log-batch", body);
  }

  /** Settings of a run, which cannot be changed later; values that are too long are cut. */
  void logParams(String run, Map<String, String> params)
      throws MlflowException, InterruptedException {
    List<Map.Entry<String, String>> all = List.copyOf(params.entrySet());
    for (int from = 0; from < all.size(); from += PARAMS) {
      ObjectNode body = JsonFiles.newObject().put("run_id", run);
      ArrayNode list = body.putArray("params");
      for (Map.Entry<String, String> param :
          all.subList(from, Math.min(from + PARAMS, all.size()))) {
        String value = param.getValue();
        list.addObject()
            .put("key", param.getKey())
            .put("value", value.substring(0, Math.min(value.length(), PARAM_VALUE)));
      }
      post("runs/log-batch", body);
    }
  }

  /**
   * @param status of MLflow's {@code RunStatus}
   */
  void update(String run, String status) throws MlflowException, InterruptedException {
    ObjectNode body = JsonFiles.newObject().put("run_id", run).put("status", status);
    if (!status.equals("RUNNING")) {
      body.put("end_time", System.currentTimeMillis());
    }
    post("runs/update", body);
  }

  private JsonNode get(String call, String query) throws MlflowException, InterruptedException {
    return send(request(call + "?" + query).GET().build());
  }

  private JsonNode post(String call, ObjectNode body) throws MlflowException, InterruptedException {
    return send(
        request(call)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofByteArray(JsonFiles.compact(body)))
            .build());
  }

  private HttpRequest.Builder request(String call) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(settings.trackingUri() + "/api/2.0/mlflow/" + call));
    if (settings.authorization() != null) {
      request.header("Authorization", settings.authorization());
    }
    return request;
  }

  private JsonNode send(HttpRequest request) throws MlflowException, InterruptedException {
    String call = request.uri().getPath();
    CompletableFuture<HttpResponse<String>> sent =
        http.sendAsync(request, BodyHandlers.ofString(StandardCharsets.UTF_8));
    HttpResponse<String> response;
    try {
      // Not the request's own timeout, which ends with the answer's headers.
      response = sent.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw MlflowException.unavailable(call + " took longer than " + timeout.toSeconds() + " s");
    } catch (ExecutionException e) {
      throw MlflowException.unavailable("no connection: " + e.getCause());
    } finally {
      sent.cancel(true);
    }
    int status = response.statusCode();
    JsonNode body = parse(response.body());
    if (status == 200 && body.isObject()) {
      return body;
    }
    String code = body.path("error_code").asText();
    String what = body.path("message").asText(response.body());
    String message = call + " was answered with " + status + " " + code + " " + what;
    // Whoever answers 200 without JSON stands before the server, or is not one.
    boolean passing = status == 200 || status == 408 || status == 429 || status >= 500;
    throw passing ? MlflowException.unavailable(message) : MlflowException.refused(message, code);
  }

  private static JsonNode parse(String body) {
    try {
      return JsonFiles.parse(body, "MLflow's answer");
    } catch (EngineException e) {
      return MissingNode.getInstance();
    }
  }

  private static String text(JsonNode json, String key) throws MlflowException {
    String value = json.path(key).asText();
    if (value.isEmpty()) {
      throw MlflowException.unavailable("the answer has no '" + key + "'");
    }
    return value;
  }
}
