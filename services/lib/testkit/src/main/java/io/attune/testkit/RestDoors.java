package io.attune.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/** Knocks at the HTTP routes of a running service. */
public final class RestDoors {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final HttpClient http = HttpClient.newHttpClient();
  private final String base;
  private final Map<String, String> contentTypes;

  /**
   * @param base the service's URL
   * @param contentTypes what each route takes as its body, by names such as "POST /v1/feedback"
   */
  public RestDoors(String base, Map<String, String> contentTypes) {
    this.base = base;
    this.contentTypes = Map.copyOf(contentTypes);
  }

  /**
   * Calls a route, with an empty JSON object where it takes a body and for things that do not
   * exist; returns the status.
   *
   * @param token null for none
   */
  public int knock(String route, String token) {
    return knock(route, token, Map.of(), "");
  }

  /**
   * Calls a route for a thing; returns the status.
   *
   * @param things what its path names
   * @param body in JSON; an empty object where it is empty
   */
  int knock(String route, String token, Map<String, String> things, String body) {
    String[] parts = route.split(" ", 2);
    String path = DoorWalk.filled(parts[1], things);
    boolean hasBody = Set.of("POST", "PUT", "PATCH").contains(parts[0]);
    var request =
        HttpRequest.newBuilder(URI.create(base + path))
            .timeout(LIMIT)
            .method(
                parts[0],
                hasBody
                    ? HttpRequest.BodyPublishers.ofString(body.isEmpty() ? "{}" : body)
                    : HttpRequest.BodyPublishers.noBody());
    if (hasBody) {
      request.header("Content-Type", contentTypes.getOrDefault(route, "application/json"));
    }
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    try {
      return http.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
    } catch (IOException failed) {
      throw new UncheckedIOException(route, failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }
}
