package io.attune.launcher.local;

import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Tokens that the launcher signs itself, for one data folder. Claims have Keycloak's shape: roles
 * of the client "attune" under {@code resource_access}.
 */
final class SignedTokens implements Tokens {
  private static final Duration PERSONS_VALIDITY = Duration.ofHours(12);

  private final SigningKey key;
  private final String issuer;
  private final Clock clock;

  SignedTokens(SigningKey key, String issuer, Clock clock) {
    this.key = key;
    this.issuer = issuer;
    this.clock = clock;
  }

  @Override
  public String issuer() {
    return issuer;
  }

  /** {@inheritDoc} Valid for twelve hours. */
  @Override
  public String mint(String subject, Collection<String> roles) {
    return mint(subject, roles, PERSONS_VALIDITY);
  }

  @Override
  public String mint(String subject, Collection<String> roles, Duration validity) {
    Tokens.requireRoles(roles);
    return mint("attune-cli", subject, roles, ServiceKind.audiences(), validity);
  }

  /**
   * A token for whomever, as the issuer's own endpoint gives them out.
   *
   * @param client who asked for it
   * @param audiences the services that accept it
   */
  String mint(
      String client,
      String subject,
      Collection<String> roles,
      Collection<String> audiences,
      Duration validity) {
    long now = clock.instant().getEpochSecond();
    Map<String, Object> claims = new LinkedHashMap<>();
    claims.put("iss", issuer);
    claims.put("aud", List.copyOf(audiences));
    claims.put("sub", subject);
    claims.put("azp", client);
    claims.put("typ", "Bearer");
    claims.put("jti", UUID.randomUUID().toString());
    claims.put("iat", now);
    claims.put("exp", now + validity.toSeconds());
    claims.put("tenant", "default");
    claims.put("resource_access", Map.of("attune", Map.of("roles", List.copyOf(roles))));
    return key.sign(claims);
  }

  Map<String, Object> keySet() {
    return key.keySet();
  }
}
