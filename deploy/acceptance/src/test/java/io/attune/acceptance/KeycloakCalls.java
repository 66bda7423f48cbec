package io.attune.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;

/** What an administrator and the holders of secrets ask of the Keycloak of a data folder. */
final class KeycloakCalls {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String REALM = "/admin/realms/attune";
  private static final String KEYS = "org.keycloak.keys.KeyProvider";

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI base;
  private final Properties secrets = new Properties();

  KeycloakCalls(URI issuer, Path data) throws IOException {
    base = issuer.resolve("/");
    try (Reader file = Files.newBufferedReader(data.resolve("keycloak/secrets.properties"))) {
      secrets.load(file);
    }
  }

  /** Keycloak refuses a scope that is named and empty. */
  private static void scope(Map<String, String> form, String scope) {
    if (!scope.isEmpty()) {
      form.put("scope", scope);
    }
  }

  /** The answer to a local user's password: tokens for what the scope names. */
  JsonNode login(String user, String scope) throws Exception {
    Map<String, String> form = new LinkedHashMap<>();
    form.put("grant_type", "password");
    form.put("client_id", "attune-local");
    form.put("client_secret", secrets.getProperty("local-client-secret"));
    form.put("username", user);
    form.put("password", secrets.getProperty("people-password"));
    scope(form, scope);
    return tokens("attune", form);
  }

  /** What a service's own secret gets it. */
  JsonNode serviceTokens(String service, String scope) throws Exception {
    Map<String, String> form = new LinkedHashMap<>();
    form.put("grant_type", "client_credentials");
    form.put("client_id", "attune-" + service);
    form.put("client_secret", secrets.getProperty("attune-" + service));
    scope(form, scope);
    return tokens("attune", form);
  }

  /** A token of the realm "master", which is another issuer. */
  String administrator() throws Exception {
    Map<String, String> form = new LinkedHashMap<>();
    form.put("grant_type", "password");
    form.put("client_id", "admin-cli");
    form.put("username", "admin");
    form.put("password", secrets.getProperty("admin-password"));
    return tokens("master", form).get("access_token").textValue();
  }

  /** How long tokens live that are asked for with local users' passwords. */
  void setLifespan(Duration lifespan) throws Exception {
    ObjectNode client = (ObjectNode) get(REALM + "/clients?clientId=attune-local").get(0);
    client
        .withObject("/attributes")
        .put("access.token.lifespan", Long.toString(lifespan.toSeconds()));
    send("PUT", REALM + "/clients/" + client.get("id").textValue(), client);
  }

  /** Adds a key that signs from now on, and revokes all that signed before. */
  void replaceSigningKeys() throws Exception {
    JsonNode realm = get(REALM);
    JsonNode before = get(REALM + "/components?type=" + KEYS);
    ObjectNode key = JSON.createObjectNode();
    key.put("name", "next");
    key.put("providerId", "rsa-generated");
    key.put("providerType", KEYS);
    key.put("parentId", realm.get("id").textValue());
    Map<String, String> settings =
        Map.of("priority", "200", "enabled", "true", "active", "true", "algorithm", "RS256");
    settings.forEach((name, value) -> key.withObject("/config").putArray(name).add(value));
    send("POST", REALM + "/components", key);
    for (JsonNode one : before) {
      if (one.get("providerId").textValue().equals("rsa-generated")) {
        send("DELETE", REALM + "/components/" + one.get("id").textValue(), null);
      }
    }
  }

  /** Whether anything answers where Keycloak listens. */
  boolean answers() throws InterruptedException {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(base.resolve("/realms/attune"))
              .timeout(Duration.ofSeconds(2))
              .build();
      return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  private JsonNode tokens(String realm, Map<String, String> form) throws Exception {
    String body =
        form.entrySet().stream()
            .map(
                field ->
                    field.getKey()
                        + "="
                        + URLEncoder.encode(field.getValue(), StandardCharsets.UTF_8))
            .collect(Collectors.joining("&"));
    HttpRequest request =
        HttpRequest.newBuilder(base.resolve("/realms/" + realm + "/protocol/openid-connect/token"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    return JSON.readTree(http.send(request, HttpResponse.BodyHandlers.ofByteArray()).body());
  }

  private JsonNode get(String path) throws Exception {
    return send("GET", path, null);
  }

  private JsonNode send(String verb, String path, JsonNode body) throws Exception {
    HttpRequest.BodyPublisher content =
        body == null
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body));
    HttpResponse<String> response =
        http.send(
            HttpRequest.newBuilder(base.resolve(path))
                .header("Authorization", "Bearer " + administrator())
                .header("Content-Type", "application/json")
                .method(verb, content)
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode())
        .as("%s %s: %s", verb, path, response.body())
        .isIn(List.of(200, 201, 204));
    return JSON.readTree(response.body());
  }
}
