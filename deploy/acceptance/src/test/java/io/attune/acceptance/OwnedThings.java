package io.attune.acceptance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.UUID;

/** Makes things that belong to the tenant of a token. */
final class OwnedThings {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http = HttpClient.newHttpClient();
  private final String token;

  OwnedThings(String token) {
    this.token = token;
  }

  /** The id of a snapshot. */
  String snapshot(URI ingestion) throws IOException, InterruptedException {
    post(ingestion, "/v1/feedback", "{\"completion\": \"a\", \"score\": 1}");
    return post(ingestion, "/v1/snapshots", "{}").required("id").textValue();
  }

  /** The id of a job, on the line {@code acmes}. */
  String job(URI training) throws IOException, InterruptedException {
    String request =
        JSON.createObjectNode()
            .put("request_id", UUID.randomUUID().toString())
            .set("spec", JSON.readTree("{\"line\": \"acmes\", \"dpo\": {}}"))
            .toString();
    return post(training, "/v1/training/jobs", request).required("id").textValue();
  }

  /** The status of an answer. */
  int status(URI service, String path) throws IOException, InterruptedException {
    return http.send(request(service, path).GET().build(), HttpResponse.BodyHandlers.discarding())
        .statusCode();
  }

  /** The status of the answer to something that is posted. */
  int status(URI service, String path, String json) throws IOException, InterruptedException {
    return send(service, path, json).statusCode();
  }

  private HttpResponse<String> send(URI service, String path, String json)
      throws IOException, InterruptedException {
    HttpRequest request =
        request(service, path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json))
            .build();
    return http.send(request, HttpResponse.BodyHandlers.ofString());
  }

  private JsonNode post(URI service, String path, String json)
      throws IOException, InterruptedException {
    HttpResponse<String> answer = send(service, path, json);
    if (answer.statusCode() != 200) {
      throw new IOException(path + " answers " + answer.statusCode() + ": " + answer.body());
    }
    return JSON.readTree(answer.body());
  }

  private HttpRequest.Builder request(URI service, String path) {
    return HttpRequest.newBuilder(service.resolve(path))
        .timeout(LIMIT)
        .header("Authorization", "Bearer " + token);
  }
}
