package io.attune.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.attune.testkit.TestTokens.Claims;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.interfaces.RSAPublicKey;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/** An OpenID Connect issuer with Keycloak's URL shapes, whose tokens tests make as they like. */
public final class TestIssuer implements AutoCloseable {

  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();
  private static final String REALM = "/realms/attune";
  private static final String PROTOCOL = REALM + "/protocol/openid-connect";

  private final HttpServer server;
  private final KeyPair key;
  private final TestTokens tokens;

  private TestIssuer(HttpServer server, KeyPair key) {
    this.server = server;
    this.key = key;
    this.tokens = new TestTokens(url(), key.getPrivate());
  }

  /** Starts on a free port of loopback. */
  public static TestIssuer start() {
    try {
      var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
      TestIssuer issuer = new TestIssuer(HttpServer.create(address, 0), newKey());
      issuer.server.createContext(PROTOCOL + "/certs", http -> answer(http, issuer.keys()));
      issuer.server.createContext(
          PROTOCOL + "/token", http -> answer(http, issuer.serviceToken(http)));
      issuer.server.start();
      return issuer;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /** A key that no issuer publishes, for tokens that must be refused, or of an issuer's own. */
  public static KeyPair newKey() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** What services have as quarkus.oidc.auth-server-url, and tokens as {@code iss}. */
  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + REALM;
  }

  /** Where keys are published. */
  public String keysUrl() {
    return url() + "/protocol/openid-connect/certs";
  }

  /** Where services ask for tokens. */
  public String tokenUrl() {
    return url() + "/protocol/openid-connect/token";
  }

  public TestTokens tokens() {
    return tokens;
  }

  /** The private key, PKCS #8 in Base64, so that a test behind another class loader can sign. */
  String privateKey() {
    return Base64.getEncoder().encodeToString(key.getPrivate().getEncoded());
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private String keys() {
    RSAPublicKey open = (RSAPublicKey) key.getPublic();
    return """
    {"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"%s","n":"%s","e":"%s"}]}
    """
        .formatted(
            TestTokens.KEY_ID, unsigned(open.getModulus()), unsigned(open.getPublicExponent()));
  }

  /** For whoever asks: for Kafka with the scope of that name, else for all services. */
  private String serviceToken(HttpExchange http) throws IOException {
    String form = new String(http.getRequestBody().readAllBytes(), UTF_8);
    Claims claims =
        tokens
            .claims("service", Set.of("trainer", "service"))
            .withTenant(null)
            .withClient(client(http));
    boolean kafka = List.of(form.split("&")).contains("scope=kafka");
    return """
    {"access_token":"%s","token_type":"Bearer","expires_in":300}
    """
        .formatted(tokens.token(kafka ? claims.withAudiences(Set.of("kafka")) : claims));
  }

  /** Who asks, by HTTP Basic. */
  private static String client(HttpExchange http) {
    String basic = http.getRequestHeaders().getFirst("Authorization");
    if (basic == null || !basic.startsWith("Basic ")) {
      return "unknown";
    }
    return new String(Base64.getDecoder().decode(basic.substring(6)), UTF_8).split(":")[0];
  }

  private static void answer(HttpExchange http, String json) throws IOException {
    byte[] body = json.getBytes(UTF_8);
    http.getResponseHeaders().add("Content-Type", "application/json");
    http.sendResponseHeaders(200, body.length);
    try (var out = http.getResponseBody()) {
      out.write(body);
    }
  }

  private static String unsigned(BigInteger number) {
    byte[] bytes = number.toByteArray();
    int skip = bytes[0] == 0 ? 1 : 0;
    return BASE64.encodeToString(java.util.Arrays.copyOfRange(bytes, skip, bytes.length));
  }
}
