package io.attune.launcher.local;

import io.attune.platform.identity.Roles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Mints the tokens of one data folder. Claims have Keycloak's shape: roles of the client "attune"
 * under {@code resource_access}.
 */
public final class Tokens {
  static final String AUDIENCE = "attune";

  private final SigningKey key;
  private final String issuer;
  private final Clock clock;

  Tokens(SigningKey key, String issuer, Clock clock) {
    this.key = key;
    this.issuer = issuer;
    this.clock = clock;
  }

  /**
   * For a data folder that a launcher has used before.
   *
   * @throws LauncherException when none has
   */
  public static Tokens of(Path dataFolder) {
    Path folder = dataFolder.resolve("issuer");
    byte[] issuer = Secrets.readOrNull(folder.resolve("url"));
    if (issuer == null) {
      throw new LauncherException(
          "no launcher has run on "
              + dataFolder.toAbsolutePath()
              + ": start `./attune up` or `./attune demo`, or name its folder with --data DIR");
    }
    return new Tokens(
        SigningKey.loadOrCreate(folder.resolve("key.der")),
        new String(issuer, StandardCharsets.UTF_8).strip(),
        Clock.systemUTC());
  }

  /**
   * A token.
   *
   * @throws LauncherException for a role that does not exist
   */
  public String mint(String subject, Collection<String> roles, Duration validity) {
    for (String role : roles) {
      if (!Roles.ALL.contains(role)) {
        throw new LauncherException(
            "no such role: " + role + "; the roles are " + new TreeSet<>(Roles.ALL));
      }
    }
    long now = clock.instant().getEpochSecond();
    Map<String, Object> claims = new LinkedHashMap<>();
    claims.put("iss", issuer);
    claims.put("aud", AUDIENCE);
    claims.put("sub", subject);
    claims.put("azp", AUDIENCE);
    claims.put("typ", "Bearer");
    claims.put("jti", UUID.randomUUID().toString());
    claims.put("iat", now);
    claims.put("exp", now + validity.toSeconds());
    claims.put("preferred_username", subject);
    claims.put("resource_access", Map.of(AUDIENCE, Map.of("roles", List.copyOf(roles))));
    return key.sign(claims);
  }

  Map<String, Object> keySet() {
    return key.keySet();
  }

  /** The issuer's URL. */
  public String issuer() {
    return issuer;
  }
}
