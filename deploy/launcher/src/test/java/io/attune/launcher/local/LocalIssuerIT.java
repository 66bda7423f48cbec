package io.attune.launcher.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.RSAPublicKeySpec;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalIssuerIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  @TempDir Path data;
  private LocalIssuer issuer;

  @BeforeEach
  void start() {
    issuer = LocalIssuer.start(data.resolve("issuer"), new Ports().take(18180));
    new IssuerFile(IssuerKind.BUILT_IN, issuer.url()).write(data);
  }

  @AfterEach
  void stop() {
    issuer.close();
  }

  @Test
  void discoveryLeadsToKeysThatVerifyAToken() throws Exception {
    JsonNode discovery = get(issuer.url() + "/.well-known/openid-configuration");
    assertThat(discovery.get("issuer").asText()).isEqualTo(issuer.url());
    JsonNode key = get(discovery.get("jwks_uri").asText()).get("keys").get(0);

    String[] token =
        issuer.tokens().mint("ann", List.of("rater"), Duration.ofMinutes(5)).split("\\.");
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initVerify(publicKey(key));
    signature.update((token[0] + "." + token[1]).getBytes(StandardCharsets.US_ASCII));
    assertThat(signature.verify(Base64.getUrlDecoder().decode(token[2]))).isTrue();

    JsonNode claims = JSON.readTree(Base64.getUrlDecoder().decode(token[1]));
    assertThat(claims.get("iss").asText()).isEqualTo(issuer.url());
    assertThat(claims.get("aud").toString())
        .isEqualTo(
            "[\"attune-serving\",\"attune-ingestion\",\"attune-reward\",\"attune-training\"]");
    assertThat(claims.get("sub").asText()).isEqualTo("ann");
    assertThat(claims.get("exp").asLong() - claims.get("iat").asLong()).isEqualTo(300);
    assertThat(claims.at("/resource_access/attune/roles").toString()).isEqualTo("[\"rater\"]");
  }

  @Test
  void aServiceGetsATokenForItsSecretOnly() throws Exception {
    String secret = issuer.secret(ServiceKind.TRAINING);
    HttpResponse<String> good =
        post(
            "grant_type=client_credentials&scope=ingestion&client_id=attune-training&client_secret="
                + secret);
    assertThat(good.statusCode()).isEqualTo(200);
    String[] token = JSON.readTree(good.body()).get("access_token").asText().split("\\.");
    JsonNode claims = JSON.readTree(Base64.getUrlDecoder().decode(token[1]));
    assertThat(claims.get("sub").asText()).isEqualTo("service-account-attune-training");
    assertThat(claims.get("aud").toString()).isEqualTo("[\"attune-ingestion\"]");
    assertThat(claims.at("/resource_access/attune/roles").toString())
        .isEqualTo("[\"trainer\",\"service\"]");
    assertThat(claims.has("tenant")).isFalse();

    String form = "grant_type=client_credentials&client_id=";
    assertThat(post(form + "attune-training&client_secret=x").statusCode()).isEqualTo(401);
    assertThat(post(form + "attune-nobody&client_secret=" + secret).statusCode()).isEqualTo(401);
    assertThat(post(form + "attune-training").statusCode()).isEqualTo(401);
    assertThat(post("grant_type=password&client_id=attune-training&client_secret=" + secret))
        .satisfies(r -> assertThat(r.statusCode()).isEqualTo(400));
  }

  @Test
  void aServiceIsRefusedATokenForAServiceThatItDoesNotCall() throws Exception {
    String client = "grant_type=client_credentials&client_id=attune-training&client_secret=";
    String asked = client + issuer.secret(ServiceKind.TRAINING) + "&scope=ingestion+serving";
    assertThat(post(asked).statusCode()).isEqualTo(400);
    assertThat(post(asked).body()).contains("invalid_scope");
  }

  @Test
  void theKeyOutlivesTheIssuerAndIsItsOwnersAlone() throws IOException {
    Path key = data.resolve("issuer/key.der");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
        .isEqualTo("rw-------");
    assertThat(Tokens.of(data))
        .isInstanceOfSatisfying(
            SignedTokens.class,
            again ->
                assertThat(JSON.valueToTree(again.keySet()).toString())
                    .isEqualTo(JSON.valueToTree(issuer.tokens().keySet()).toString()));
  }

  @Test
  void refusesARoleThatDoesNotExist() {
    assertThatThrownBy(() -> issuer.tokens().mint("ann", List.of("root"), Duration.ofHours(1)))
        .isInstanceOf(LauncherException.class)
        .hasMessageContaining("no such role: root");
  }

  private HttpResponse<String> post(String form) throws IOException, InterruptedException {
    return HTTP.send(
        HttpRequest.newBuilder(URI.create(issuer.url() + "/protocol/openid-connect/token"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static JsonNode get(String url) throws IOException, InterruptedException {
    return JSON.readTree(
        HTTP.send(
                HttpRequest.newBuilder(URI.create(url)).build(),
                HttpResponse.BodyHandlers.ofString())
            .body());
  }

  private static PublicKey publicKey(JsonNode key) throws Exception {
    Base64.Decoder url = Base64.getUrlDecoder();
    return KeyFactory.getInstance("RSA")
        .generatePublic(
            new RSAPublicKeySpec(
                new BigInteger(1, url.decode(key.get("n").asText())),
                new BigInteger(1, url.decode(key.get("e").asText()))));
  }
}
