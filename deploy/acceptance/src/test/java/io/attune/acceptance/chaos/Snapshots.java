package io.attune.acceptance.chaos;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.function.Supplier;

/** Has ingestion cut snapshots, as training does. */
final class Snapshots {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final Supplier<String> ingestion;
  private final String token;

  /**
   * @param ingestion URL of a process that runs
   */
  Snapshots(Supplier<String> ingestion, String token) {
    this.ingestion = ingestion;
    this.token = token;
  }

  /** Asks until there is one; how many ratings it says to have. */
  long cut(String dataset) {
    HttpResponse<String> response =
        await("a snapshot of " + dataset)
            .atMost(Duration.ofMinutes(2))
            .ignoreExceptionsInstanceOf(IOException.class)
            .until(() -> ask(dataset), answer -> answer.statusCode() == 200);
    try {
      return JSON.readTree(response.body()).required("ratings").longValue();
    } catch (IOException e) {
      throw new AssertionError("not JSON: " + response.body(), e);
    }
  }

  private HttpResponse<String> ask(String dataset) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create(ingestion.get() + "/v1/snapshots"))
            .timeout(Duration.ofSeconds(30))
            .header("Authorization", "Bearer " + token)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{\"dataset\":\"" + dataset + "\"}"))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }
}
