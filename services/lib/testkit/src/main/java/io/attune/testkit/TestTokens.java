package io.attune.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Set;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.ConfigProvider;

/** Access tokens for tests: valid ones by {@link #with}, wrong ones by {@link #token}. */
public final class TestTokens {

  static final String KEY_ID = "test";

  private static final Set<String> AUDIENCES =
      Set.of("attune-serving", "attune-ingestion", "attune-reward", "attune-training");

  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

  private final String issuer;
  private final PrivateKey key;

  TestTokens(String issuer, PrivateKey key) {
    this.issuer = issuer;
    this.key = key;
  }

  /** What a token says; change one thing of it to make a token that must be refused. */
  public record Claims(
      String issuer,
      Set<String> audiences,
      String client,
      String subject,
      Set<String> roles,
      String tenant,
      Duration lifetime) {

    public Claims {
      audiences = Set.copyOf(audiences);
      roles = Set.copyOf(roles);
    }

    public Claims withIssuer(String other) {
      return new Claims(other, audiences, client, subject, roles, tenant, lifetime);
    }

    public Claims withAudiences(Set<String> others) {
      return new Claims(issuer, others, client, subject, roles, tenant, lifetime);
    }

    /** Of a client that asked for it, other than people's. */
    public Claims withClient(String other) {
      return new Claims(issuer, audiences, other, subject, roles, tenant, lifetime);
    }

    /** Of somebody of another tenant; null for nobody's. */
    public Claims withTenant(String other) {
      return new Claims(issuer, audiences, client, subject, roles, other, lifetime);
    }

    /** Negative for a token that has expired. */
    public Claims withLifetime(Duration other) {
      return new Claims(issuer, audiences, client, subject, roles, tenant, other);
    }
  }

  /** Of the issuer that {@link Infrastructure} has set up for the running Quarkus test. */
  public static TestTokens ofRunningTest() {
    var config = ConfigProvider.getConfig();
    byte[] encoded =
        Base64.getDecoder().decode(config.getValue(Infrastructure.ISSUER_KEY, String.class));
    try {
      PrivateKey key =
          KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(encoded));
      return new TestTokens(config.getValue("quarkus.oidc.auth-server-url", String.class), key);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** A valid token. */
  public String with(String subject, String... roles) {
    return with(subject, Set.of(roles));
  }

  /** A valid token. */
  public String with(String subject, Set<String> roles) {
    return token(claims(subject, roles));
  }

  /** What a token says that is valid for all services. */
  public Claims claims(String subject, Set<String> roles) {
    return new Claims(
        issuer, AUDIENCES, "attune-cli", subject, roles, "default", Duration.ofMinutes(10));
  }

  /** Signed by the issuer's key, whatever it says. */
  public String token(Claims claims) {
    return signed(claims, key);
  }

  /** Signed by another key under the issuer's key id. */
  public String forged(Claims claims) {
    return signed(claims, TestIssuer.newKey().getPrivate());
  }

  /** Not signed at all: {@code alg: none}. */
  public String unsigned(Claims claims) {
    return part("{\"alg\":\"none\",\"typ\":\"JWT\"}") + "." + part(json(claims)) + ".";
  }

  private static String signed(Claims claims, PrivateKey by) {
    String head = "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}".formatted(KEY_ID);
    String content = part(head) + "." + part(json(claims));
    try {
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initSign(by);
      signature.update(content.getBytes(UTF_8));
      return content + "." + BASE64.encodeToString(signature.sign());
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static String json(Claims claims) {
    long now = Instant.now().getEpochSecond();
    long expiry = now + claims.lifetime().toSeconds();
    return """
    {"iss":"%s","aud":%s,"azp":"%s","sub":"%s","iat":%d,"exp":%d,"typ":"Bearer",\
    %s"resource_access":{"attune":{"roles":%s}}}\
    """
        .formatted(
            claims.issuer(),
            list(claims.audiences()),
            claims.client(),
            claims.subject(),
            Math.min(now, expiry - 1),
            expiry,
            claims.tenant() == null ? "" : "\"tenant\":\"" + claims.tenant() + "\",",
            list(claims.roles()));
  }

  private static String list(Set<String> texts) {
    return texts.stream().map(text -> '"' + text + '"').collect(Collectors.joining(",", "[", "]"));
  }

  private static String part(String json) {
    return BASE64.encodeToString(json.getBytes(UTF_8));
  }
}
