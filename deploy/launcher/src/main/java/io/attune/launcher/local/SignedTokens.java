package io.attune.launcher.local;

import io.attune.platform.identity.Tenant;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  public String mint(Tenant tenant, String subject, Collection<String> roles) {
    return mint(tenant, subject, roles, PERSONS_VALIDITY);
  }

  @Override
  public String mint(Tenant tenant, String subject, Collection<String> roles, Duration validity) {
    Tokens.requireRoles(roles);
    return mint(
        Optional.of(tenant), "attune-cli", subject, roles, ServiceKind.audiences(), validity);
  }

  /**
   * A token for whomever, as the issuer's own endpoint gives them out.
   *
   * @param tenant whose person it is for; empty for a service, which acts for all of them
   * @param client who asked for it
   * @param audiences the services that accept it
   */
  String mint(
      Optional<Tenant> tenant,
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
    tenant.ifPresent(its -> claims.put(Tenant.CLAIM, its.name()));
    claims.put("resource_access", Map.of("attune", Map.of("roles", List.copyOf(roles))));
    return key.sign(claims);
  }

  Map<String, Object> keySet() {
    return key.keySet();
  }
}
