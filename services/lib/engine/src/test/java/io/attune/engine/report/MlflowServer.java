package io.attune.engine.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The part of MLflow's REST API 2.0 that a run needs, with its limits and errors. Records calls,
 * and misbehaves as it is told.
 */
final class MlflowServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What a call gets instead of being carried out. */
  record Trouble(int status, String body) {}

  /** A call and the header that says who makes it. */
  record Call(String name, String authorization, JsonNode body) {}

  /** What is known of a run. */
  static final class Run {
    String name;
    String experiment;
    String status = "RUNNING";
    final Map<String, String> params = new TreeMap<>();

    /** Values by key, in the order they came: step and value. */
    final Map<String, List<Map.Entry<Integer, Double>>> metrics = new TreeMap<>();
  }

  private final HttpServer http;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Call> calls = new ArrayList<>();
  private final Map<String, String> experiments = new LinkedHashMap<>(Map.of("Default", "0"));
  private final Map<String, Run> runs = new LinkedHashMap<>();
  private final List<Trouble> troubles = new ArrayList<>();
  private boolean silent;

  MlflowServer(int port) throws IOException {
    http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    http.createContext("/api/2.0/mlflow/", this::handle);
    http.setExecutor(threads);
    http.start();
  }

  int port() {
    return http.getAddress().getPort();
  }

  String uri() {
    return "http://127.0.0.1:" + port();
  }

  /** Lets the next calls fail so. */
  synchronized void trouble(Trouble... next) {
    troubles.addAll(List.of(next));
  }

  /** From now on no call is answered. */
  synchronized void fallSilent() {
    silent = true;
  }

  synchronized List<Call> calls(String name) {
    return calls.stream().filter(call -> call.name().equals(name)).toList();
  }

  synchronized List<Call> calls() {
    return List.copyOf(calls);
  }

  synchronized Map<String, Run> runs() {
    return new LinkedHashMap<>(runs);
  }

  synchronized void deleteRuns() {
    runs.clear();
  }

  private void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String name = path.substring("/api/2.0/mlflow/".length());
    byte[] sent = exchange.getRequestBody().readAllBytes();
    JsonNode body =
        exchange.getRequestMethod().equals("GET") ? query(exchange) : JSON.readTree(sent);
    Trouble answer;
    synchronized (this) {
      calls.add(new Call(name, exchange.getRequestHeaders().getFirst("Authorization"), body));
      if (silent) {
        return; // the connection stays open
      }
      answer = troubles.isEmpty() ? answer(name, body) : troubles.remove(0);
    }
    byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static JsonNode query(HttpExchange exchange) {
    ObjectNode json = JSON.createObjectNode();
    for (String pair : exchange.getRequestURI().getRawQuery().split("&")) {
      String[] parts = pair.split("=", 2);
      json.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
    }
    return json;
  }

  private Trouble answer(String name, JsonNode body) {
    ObjectNode result = JSON.createObjectNode();
    switch (name) {
      case "experiments/get-by-name" -> {
        String experiment = body.get("experiment_name").asText();
        if (!experiments.containsKey(experiment)) {
          return error(404, "RESOURCE_DOES_NOT_EXIST", "Could not find experiment");
        }
        result
            .putObject("experiment")
            .put("experiment_id", experiments.get(experiment))
            .put("lifecycle_stage", "active");
      }
      case "experiments/create" -> {
        String id = Integer.toString(experiments.size());
        experiments.put(body.get("name").asText(), id);
        result.put("experiment_id", id);
      }
      case "runs/create" -> {
        String id = "run" + runs.size();
        Run run = new Run();
        run.experiment = body.get("experiment_id").asText();
        run.name = body.path("run_name").asText();
        runs.put(id, run);
        result.putObject("run").putObject("info").put("run_id", id);
      }
      default -> {
        Run run = runs.get(body.get("run_id").asText());
        if (run == null) {
          return error(404, "RESOURCE_DOES_NOT_EXIST", "Run not found");
        }
        return answer(name, body, run, result);
      }
    }
    return new Trouble(200, result.toString());
  }

  private static Trouble answer(String name, JsonNode body, Run run, ObjectNode result) {
    switch (name) {
      case "runs/get" -> {
        ArrayNode metrics = result.putObject("run").putObject("data").putArray("metrics");
        run.metrics.forEach(
            (key, values) ->
                metrics
                    .addObject()
                    .put("key", key)
                    .put("step", values.stream().mapToInt(Map.Entry::getKey).max().orElse(0)));
      }
      case "runs/update" -> run.status = body.get("status").asText();
      case "runs/log-batch" -> {
        if (body.path("metrics").size() > 1000 || body.path("params").size() > 100) {
          return error(400, "INVALID_PARAMETER_VALUE", "A batch is too large");
        }
        for (JsonNode param : body.path("params")) {
          if (param.get("value").asText().length() > 6000) {
            return error(400, "INVALID_PARAMETER_VALUE", "Param value is too long");
          }
          run.params.put(param.get("key").asText(), param.get("value").asText());
        }
        for (JsonNode metric : body.path("metrics")) {
          run.metrics
              .computeIfAbsent(metric.get("key").asText(), key -> new ArrayList<>())
              .add(
                  Map.entry(
                      metric.get("step").asInt(),
                      Double.parseDouble(metric.get("value").asText())));
        }
      }
      default -> {
        return error(404, "ENDPOINT_NOT_FOUND", name);
      }
    }
    return new Trouble(200, result.toString());
  }

  static Trouble error(int status, String code, String message) {
    return new Trouble(
        status, JSON.createObjectNode().put("error_code", code).put("message", message).toString());
  }

  @Override
  public void close() {
    http.stop(0);
    threads.shutdownNow();
  }
}
