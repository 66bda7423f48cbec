package io.attune.launcher.local;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;

/** Keycloak's token endpoint and its admin API, for the few calls that the launcher makes. */
final class KeycloakApi {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();
  private final URI base;
  private final String adminPassword;

  KeycloakApi(URI base, String adminPassword) {
    this.base = base;
    this.adminPassword = adminPassword;
  }

  static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /** An access token of a realm. */
  String token(String realm, Map<String, String> form) {
    String body =
        form.entrySet().stream()
            .map(field -> field.getKey() + "=" + encode(field.getValue()))
            .collect(Collectors.joining("&"));
    JsonNode answer =
        send(
            request("/realms/" + realm + "/protocol/openid-connect/token")
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    return answer.get("access_token").textValue();
  }

  /** The administrator's session, in which the admin API answers. */
  Session login() {
    return new Session(
        token(
            "master",
            Map.of(
                "grant_type", "password",
                "client_id", "admin-cli",
                "username", "admin",
                "password", adminPassword)));
  }

  /** Calls of the admin API as the administrator. */
  final class Session {
    private final String token;

    private Session(String token) {
      this.token = token;
    }

    JsonNode get(String path) {
      return send(authorized(path).GET());
    }

    void post(String path, Object body) {
      send(authorized(path).POST(json(body)));
    }

    void delete(String path, Object body) {
      send(authorized(path).method("DELETE", json(body)));
    }

    private HttpRequest.Builder authorized(String path) {
      return request(path)
          .header("Authorization", "Bearer " + token)
          .header("Content-Type", "application/json");
    }
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(base.resolve(path)).timeout(LIMIT);
  }

  private JsonNode send(HttpRequest.Builder builder) {
    HttpRequest request = builder.build();
    try {
      HttpResponse<byte[]> response = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
      if (response.statusCode() >= 300) {
        throw new LauncherException(
            "Keycloak refuses %s %s with %d: %s"
                .formatted(
                    request.method(),
                    request.uri().getPath(),
                    response.statusCode(),
                    new String(response.body(), StandardCharsets.UTF_8)));
      }
      return JSON.readTree(response.body());
    } catch (IOException e) {
      throw new LauncherException(
          "Keycloak does not answer on " + base + ": `./attune up --keycloak` runs it", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LauncherException("interrupted while Keycloak was asked", e);
    }
  }

  private static HttpRequest.BodyPublisher json(Object body) {
    try {
      return HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body));
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
